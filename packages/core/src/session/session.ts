import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { personaPlacementSchema } from '../persona/persona-injector.ts';
import { personaSchema } from '../persona/persona.ts';
import { containmentReportSchema, containmentSpecSchema } from './containment.ts';
import { terminalSizeSchema } from './output.ts';
import { sessionLimitSchema, sessionLimitsSchema } from './session-limits.ts';
import { workspaceInfoSchema, workspaceSchema } from './workspace.ts';

const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'A variable name has letters, digits and "_".');

/** How much an agent may do without asking; the names are Claude Code's own. */
export const permissionModeSchema = z.enum(['default', 'acceptEdits', 'plan', 'dontAsk', 'bypassPermissions', 'auto']);

/** See {@link permissionModeSchema}. */
export type PermissionMode = z.infer<typeof permissionModeSchema>;

/** One of Claude Code's rules for tools, for example `Read` or `Bash(git log:*)`. */
const toolRule = z
  .string()
  .max(1000)
  .regex(/^[A-Za-z_][^\0\n]*$/, 'A rule for tools begins with the name of a tool.');
/** It is handed on as an argument, and Linux takes 128 KiB for one. */
const systemPromptText = z
  .string()
  .min(1)
  .max(40_000)
  .refine((text) => !text.includes('\0'), 'No NUL in a system prompt.');

/**
 * Which agent, and how it is set up. `kind` names a driver of the host; the fields of the other drivers are refused.
 *
 * - `claude`: Claude Code in a terminal.
 * - `claude-stream`: Claude Code over pipes, in messages: nothing is painted and nothing is lost on the way.
 * - `command`: any CLI that reads prompts from its input.
 * - `shell`: an interactive shell; a prompt is a command line, or several.
 */
export const agentSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('claude'),
    model: z.string().min(1).max(200).optional(),
    permissionMode: permissionModeSchema.default('default'),
    /** Use the user's own configuration home and login instead of a private one; one session at a time. */
    useLogin: z.boolean().default(false),
    /** Keep the conversation when the session is gone, however it went, so that another can resume it. Default false. */
    keepConversation: z.boolean().default(false),
    /** Go on with a conversation that was kept, by the `conversationId` of its session, in the same folder. */
    resume: z.uuid().optional(),
  }),
  z.strictObject({
    kind: z.literal('claude-stream'),
    model: z.string().min(1).max(200).optional(),
    permissionMode: permissionModeSchema.default('default'),
    /** Use the user's own configuration home and login instead of a private one; one session at a time. */
    useLogin: z.boolean().default(false),
    /** Instead of the agent's own system prompt. */
    systemPrompt: systemPromptText.optional(),
    /** After the agent's own system prompt. */
    appendSystemPrompt: systemPromptText.optional(),
    /** How often the agent may call its model for one prompt; beyond that the turn has failed. Default: no limit. */
    maxTurns: z.number().int().positive().optional(),
    /** Tools that need no leave. */
    allowedTools: z.array(toolRule).max(200).readonly().default([]),
    /** Tools that the agent does not have. */
    disallowedTools: z.array(toolRule).max(200).readonly().default([]),
    /** Tell words as they are made, not only whole messages. Default true. */
    partialMessages: z.boolean().default(true),
    /** Keep the conversation when the session is gone, however it went, so that another can resume it. Default false. */
    keepConversation: z.boolean().default(false),
    /** Go on with a conversation that was kept, by the `conversationId` of its session, in the same folder. */
    resume: z.uuid().optional(),
  }),
  z.strictObject({
    kind: z.literal('command'),
    /** The program and its arguments; no shell reads them. */
    command: z.array(z.string().max(131_072)).min(1).max(1000).readonly(),
    /** A terminal, or plain pipes. Default `terminal`. */
    over: z.enum(['terminal', 'pipe']).default('terminal'),
  }),
  z.strictObject({
    kind: z.literal('shell'),
    /** `bash` or `zsh`, or the path of one, which must be called so. Default `bash`. */
    shell: z.string().min(1).max(4096).default('bash'),
    /** Reads the user's own `.bashrc` or `.zshrc` as well. Default false. */
    useUserRc: z.boolean().default(false),
  }),
]);

/** See {@link agentSpecSchema}. */
export type AgentSpec = z.input<typeof agentSpecSchema>;

/** Everything a host needs to start a session. It is data: it travels to other machines as it is. */
export const sessionSpecSchema = z.strictObject({
  /** Made by the caller, so that creating twice is creating once. See `newId`. */
  sessionId: idSchema,
  /** Which member of the crew this is, for example `FE`. */
  agentId: z.string().min(1).max(200).optional(),
  /** Whose session it is: an office marks those it creates, to find them again after it was killed. */
  owner: z.string().min(1).max(200).optional(),
  agent: agentSpecSchema,
  workspace: workspaceSchema,
  persona: personaSchema.optional(),
  /** Default 120 × 40. */
  size: terminalSizeSchema.default({ cols: 120, rows: 40 }),
  environment: z
    .strictObject({
      /** Variables of the host's own environment to hand on, by name. */
      pass: z.array(environmentName).max(200).readonly().default([]),
      /** Variables to set. */
      set: z
        .record(
          environmentName,
          z
            .string()
            .max(131_072)
            .refine((value) => !value.includes('\0'), 'No NUL in a variable.'),
        )
        .default({}),
    })
    .default({ pass: [], set: {} }),
  /**
   * `pty`: the host's own terminal, gone with it. `tmux`: one in tmux, which outlives the host and can be watched; a flood of
   * output is not held back there, and beyond `maxOutputBytes` + 64 MiB unread the oldest is dropped.
   * Default: what the host is set to. Only for agents in a terminal.
   */
  terminal: z.enum(['pty', 'tmux']).optional(),
  /** `user`: the agent sees the user's home (git identity, caches); `private`: an empty one. Default `user`. */
  home: z.enum(['user', 'private']).default('user'),
  /** How strongly the agent is contained. Default: as the host says, the best level it has that changes nothing for the agent. */
  containment: containmentSpecSchema.prefault({}),
  /** How much output is kept. Default 1 MiB. */
  maxOutputBytes: z
    .number()
    .int()
    .min(4096)
    .max(256 * 1024 * 1024)
    .default(1024 * 1024),
  /** How much the session may do before it is ended, or refuses more. Default: no limit. */
  limits: sessionLimitsSchema.optional(),
  /** Keep a rendered screen from the start; otherwise one is made when first asked for. Default false. */
  screen: z.boolean().default(false),
});

/** See {@link sessionSpecSchema}. */
export type SessionSpec = z.input<typeof sessionSpecSchema>;
/** {@link SessionSpec} with defaults filled in. */
export type ResolvedSessionSpec = z.output<typeof sessionSpecSchema>;

/** Where a session stands. `terminated` is final. */
export const sessionStatusSchema = z.enum(['creating', 'ready', 'executing', 'waiting_input', 'error', 'terminated']);

/** See {@link sessionStatusSchema}. */
export type SessionStatus = z.infer<typeof sessionStatusSchema>;

/** What is known of a session; a copy, not a live view. Times are epoch milliseconds of the host. */
export const sessionInfoSchema = z.object({
  sessionId: idSchema,
  agentId: z.string().optional(),
  /** See the spec. */
  owner: z.string().optional(),
  /** Which host runs it, told by hosts that were given a name: one that fails holds up no attempt on another. */
  hostId: z.string().min(1).max(4096).optional(),
  /** The worktree's id: its branch, where the host made one; `null` for a slot without a job. */
  worktreeId: z.string().nullable(),
  /** The terminal's id on the host while it lives: the agent's process id, or `tmux:<session>:<pane>`. */
  terminalId: z.string().nullable(),
  /** What to run on the host to watch the terminal, where it is one that can be watched: one in tmux. */
  attachCommand: z.string().optional(),
  status: sessionStatusSchema,
  agent: z.object({
    kind: z.string(),
    version: z.string().nullable(),
    /** The agent's own id of its present conversation, where it tells one. */
    conversationId: z.string().nullable().optional(),
  }),
  workspace: workspaceInfoSchema,
  persona: personaPlacementSchema.nullable(),
  containment: containmentReportSchema,
  turnId: idSchema.nullable(),
  /** When what the agent is signed in with expires, where that is known: retire the session in time. */
  credentialExpiresAt: z.number().optional(),
  createdAt: z.number(),
  lastActivityAt: z.number(),
  output: z.object({ start: z.number(), end: z.number() }),
  /** The limit that ended it, if one has. */
  endedBy: sessionLimitSchema.optional(),
  /** Its program has answered by ending before anybody asked: though it has ended, its first prompt gets that answer. */
  hasAnswered: z.literal(true).optional(),
  exit: z.object({ code: z.number().nullable(), signal: z.string().nullable() }).nullable(),
});

/** See {@link sessionInfoSchema}. */
export type SessionInfo = z.infer<typeof sessionInfoSchema>;
