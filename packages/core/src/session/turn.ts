import { z } from 'zod';

import { deciderSchema, evidenceSchema, turnErrorSchema } from '../monitor/evidence.ts';
import { milestoneKindSchema, milestonePatternSchema, milestoneSchema } from '../monitor/milestone.ts';
import { turnUsageSchema } from '../monitor/usage.ts';
import { idSchema } from '../ids.ts';

/**
 * How a turn can end. `unknown` is a legal answer: it is given when no source of evidence is left. `needs_input` ends a
 * turn only where nobody is configured to answer.
 */
export const outcomeSchema = z.enum([
  'completed',
  'failed',
  'timed_out',
  'cancelled',
  'crashed',
  'needs_input',
  'unknown',
]);

/** See {@link outcomeSchema}. */
export type Outcome = z.infer<typeof outcomeSchema>;

/** Whether a verdict was observed or concluded from silence. */
export const confidenceSchema = z.enum(['certain', 'inferred']);

/** See {@link confidenceSchema}. */
export type Confidence = z.infer<typeof confidenceSchema>;

/** Where a turn stands. Once `ended` it never changes. */
export const turnStateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('running') }),
  z.object({ kind: z.literal('waiting'), for: z.enum(['permission', 'question']), requestId: z.string() }),
  z.object({
    kind: z.literal('ended'),
    outcome: outcomeSchema,
    confidence: confidenceSchema,
    decidedBy: deciderSchema,
    /** Epoch milliseconds of the verdict. */
    at: z.number(),
    error: turnErrorSchema.nullable(),
  }),
]);

/** See {@link turnStateSchema}. */
export type TurnState = z.infer<typeof turnStateSchema>;

/** One prompt and what came of it. */
export const turnInfoSchema = z.object({
  turnId: idSchema,
  sessionId: idSchema,
  state: turnStateSchema,
  /** Epoch milliseconds at which the agent took the prompt. */
  acceptedAt: z.number(),
  /** Offset in the session's output at which the prompt was sent. */
  outputStart: z.number().int().nonnegative(),
  /** The agent's final message, or what it printed; empty while it runs. */
  text: z.string(),
  milestones: z.array(milestoneSchema),
  /** The last progress the agent told, in percent. */
  percent: z.number().nullable(),
  /** What was observed, in order, without mere activity. */
  evidence: z.array(evidenceSchema),
  /**
   * Tokens and cost, as far as the agent has told; absent where it tells none. `claude-stream` tells both with its end,
   * `claude` tokens a moment after it (see `usageFollows`), `shell` and `command` nothing.
   */
  usage: turnUsageSchema.optional(),
  /**
   * Set from the verdict until it is known what the turn used, where the agent tells that only a moment later. The change
   * `usage` tells when it is known, or that it will not be.
   */
  usageFollows: z.literal(true).optional(),
});

/** See {@link turnInfoSchema}. */
export type TurnInfo = z.infer<typeof turnInfoSchema>;

/** The most a prompt may hold, in bytes of UTF-8. */
export const MAX_PROMPT_BYTES = 1024 * 1024;

/** How long requests to people wait, and what then. The host keeps to it, also while the office is away. */
export const requestExpirySchema = z.strictObject({
  /** Each request expires this long after it was asked. Default: never; it may wait for days. */
  expiresAfterMs: z
    .number()
    .int()
    .positive()
    .max(366 * 24 * 3_600_000)
    .optional(),
  /** Then the agent is told no and goes on (`deny`), or the turn ends as `needs_input`. Default `needs_input`. */
  onExpiry: z.enum(['deny', 'needs_input']).default('needs_input'),
});

/** See {@link requestExpirySchema}. */
export type RequestExpiry = z.output<typeof requestExpirySchema>;

/** How a prompt is to be run. */
export const promptOptionsSchema = z.object({
  /** Made by the caller, so that sending twice is sending once. Default: a new id. */
  turnId: idSchema.optional(),
  /** The turn is interrupted and `timed_out` after this long. Default: 600 000 (10 minutes). */
  timeoutMs: z
    .number()
    .int()
    .positive()
    .max(7 * 24 * 3_600_000)
    .default(600_000),
  /** With `marker`, an end without `[SEMO:DONE]` in the agent's final message is `failed / marker_missing`. */
  require: z.enum(['marker']).optional(),
  /** Milestones that complete the turn; the agent is then brought to rest. Default: none, milestones are only told. */
  completeOn: z.array(milestoneKindSchema).max(5).readonly().default([]),
  /** Lines that are milestones too, of kind `custom`. Default none. */
  milestones: z.array(milestonePatternSchema).max(50).readonly().default([]),
  /** Ends the turn with the agent's word although background tasks of it still run. Default false. */
  endWithBackgroundTasks: z.boolean().default(false),
  /** What to do when the agent needs a person: `wait`, or `interrupt` and end as `needs_input`. Default `wait`. */
  onNeedsPerson: z.enum(['wait', 'interrupt']).default('wait'),
  /** What becomes of a request that nobody answers. */
  requests: requestExpirySchema.default({ onExpiry: 'needs_input' }),
  /** Without output for this long the turn is `stalled`, or over where nothing better can tell. Default 30 000. */
  silenceMs: z.number().int().positive().default(30_000),
  /** Ends the agent's input after this prompt: one prompt is all it gets. Only for agents on pipes. Default false. */
  endInput: z.boolean().default(false),
});

/** See {@link promptOptionsSchema}. */
export type PromptOptions = z.input<typeof promptOptionsSchema>;
/** {@link PromptOptions} with defaults filled in. */
export type ResolvedPromptOptions = z.output<typeof promptOptionsSchema>;
