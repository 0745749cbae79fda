import { constants } from 'node:os';
import type { AgentSpec } from '@semo-office/core';

import type { ProcessExit } from '../../../terminal/terminal.ts';
import { UndoList } from '../../../undo-list.ts';
import type { AgentDriver, AgentIo, Launch, LaunchContext } from '../../agent-driver.ts';
import { claudeStreamArguments } from '../arguments.ts';
import { ClaudeConversations, type ClaudeConversation } from '../conversation/conversations.ts';
import { findClaudeTurn } from '../conversation/find-turn.ts';
import { writeSettings } from '../config.ts';
import { openClaudeHome, signInTraits, type ClaudeDriverOptions, type ClaudeHome } from '../home.ts';
import { ClaudeHookListener } from '../hooks/hook-listener.ts';
import { hookSettings, plainSettings, type HookWish } from '../hooks/hook-settings.ts';
import { ClaudeProofs } from '../guard/proofs.ts';
import { scopeGuardOf, type ClaudeScopeGuard } from '../guard/scope-guard.ts';
import { isVersionBefore } from '../version.ts';
import { checkDisallowedTools } from '../settings/settings-check.ts';
import { readForeignSettings, recheckForeignSettings } from '../settings/settings-files.ts';
import { ClaudeStreamAgent } from './stream-agent.ts';
import { EventFeed } from './event-feed.ts';
import type { ConversationLimits } from '../conversation/kept-conversations.ts';
import type { StreamJsonEvent } from './stream-json.ts';

/** What a session of Claude Code in stream mode told, message by message. */
export interface ClaudeStreamEvent {
  readonly sessionId: string;
  readonly event: StreamJsonEvent;
}

/** Options of {@link createClaudeStreamDriver}. */
export interface ClaudeStreamDriverOptions extends ClaudeDriverOptions {
  /**
   * Hears every message, in order, after the session has acted on it. While a promise of it is open, that session is read
   * no further and its agent waits. Default: nobody.
   */
  readonly onEvent?: ((event: ClaudeStreamEvent) => void | Promise<void>) | undefined;
  /** Where conversations are kept that shall outlive their session. Default: nowhere; `keepConversation` is then refused. */
  readonly conversationsDir?: string | undefined;
  /** How long they are kept, and how many; looked at when a session that keeps one ends. Default: 30 days, 1000. */
  readonly keptConversations?: ConversationLimits | undefined;
}

/** From this version on it was seen to take another token while it runs. */
const TAKES_TOKENS = '2.1.329';

type StreamSpec = Extract<AgentSpec, { kind: 'claude-stream' }>;

/** What all sessions of a driver share. */
interface Shared {
  readonly hooks: ClaudeHookListener;
  readonly proofs: ClaudeProofs;
}

/**
 * Drives Claude Code over pipes: prompts and answers are messages, and it says itself when it has taken one and when a turn
 * is over. The session's output is what it prints: JSON lines, with standard error between them.
 *
 * @example
 * ```ts
 * const sessions = createPtySessionManager({
 *   drivers: [createClaudeStreamDriver({ onEvent: async ({ event }) => await store(event) })],
 * });
 * ```
 */
export function createClaudeStreamDriver(options: ClaudeStreamDriverOptions = {}): AgentDriver {
  const conversations = new ClaudeConversations(options.conversationsDir, options.keptConversations);
  const shared = { hooks: new ClaudeHookListener(), proofs: new ClaudeProofs() };
  return {
    kind: 'claude-stream',
    async prepare(context) {
      const spec = context.spec.agent as StreamSpec;
      checkDisallowedTools(spec.disallowedTools ?? []);
      const foreign = await readForeignSettings(context, spec);
      const wish: HookWish = { turns: false, guard: true, ...foreign };
      const hold = await conversations.hold(spec);
      const undo = new UndoList();
      undo.add(() => hold.release());
      try {
        const home = await openClaudeHome(options, context, spec);
        undo.add(() => home.release());
        const conversation = await conversations.begin(spec, { home, hold });
        const launch = await streamLaunch({ context, spec, home, conversation, undo, options, shared, wish });
        return { ...launch, recheck: () => recheckForeignSettings(context, spec, foreign) };
      } catch (thrown) {
        await undo.run();
        throw thrown;
      }
    },
    findTurn: findClaudeTurn,
  };
}

/** What a launch is made of. */
interface StreamStart {
  readonly context: LaunchContext;
  readonly spec: StreamSpec;
  readonly home: ClaudeHome;
  readonly conversation: ClaudeConversation;
  readonly undo: UndoList;
  readonly options: ClaudeStreamDriverOptions;
  readonly shared: Shared;
  /** The hooks of a session with a scope. */
  readonly wish: HookWish;
}

async function streamLaunch(start: StreamStart): Promise<Launch> {
  const { context, spec, home, conversation, undo, options, shared, wish } = start;
  const { folders } = context;
  const { sessionId } = context.spec;
  const guard = scopeGuardOf(context);
  const proof = guard === null ? null : shared.proofs.begin({ home, wish, folder: folders.tmp });
  undo.add(async () => proof?.catch(() => undefined));
  const settings = guard === null ? plainSettings() : await guardSettings(guard, { hooks: shared.hooks, undo, wish });
  const settingsFile = await writeSettings(folders.config, settings);
  return {
    command: [
      home.binary,
      '--settings',
      settingsFile,
      ...conversation.args,
      ...claudeStreamArguments(spec, home.version),
    ],
    over: 'pipe',
    errorsApart: true,
    // One line that is no message ends it.
    takesKeys: false,
    keepsScope: guard !== null,
    needsNetwork: true,
    writes: keptOutside(spec, home, options),
    version: home.version,
    ...signInTraits(home),
    keepsConversation: conversation.isKept,
    transcripts: conversation.transcripts,
    configHome: home.isPrivate ? home.configDir : null,
    env: { ...home.env, CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1' },
    monitor: { sources: ['agent_end', 'exit'], exitMeans: 'crash' },
    readExit,
    attach(io) {
      guard?.follow(io);
      const feed = feedOf(options, sessionId, io);
      const credential = isVersionBefore(home.version, TAKES_TOKENS) ? null : home.credential;
      const resumes = spec.resume !== undefined;
      return new ClaudeStreamAgent(guard?.guardAnswers(io) ?? io, { feed, proof, conversation, resumes, credential });
    },
    dispose: async () => void (await undo.run()),
  };
}

/** Where the conversation goes when it is to outlive the session; with it a sandbox shows those of others. */
function keptOutside(
  spec: StreamSpec,
  { isPrivate }: ClaudeHome,
  { conversationsDir }: ClaudeStreamDriverOptions,
): string[] {
  const isKept = spec.keepConversation === true || spec.resume !== undefined;
  return isKept && isPrivate && conversationsDir !== undefined ? [conversationsDir] : [];
}

/** Settings whose only hook asks the guard; everything else is told by messages. */
async function guardSettings(
  guard: ClaudeScopeGuard,
  { hooks, undo, wish }: { readonly hooks: ClaudeHookListener; readonly undo: UndoList; readonly wish: HookWish },
): Promise<Record<string, unknown>> {
  const endpoint = await hooks.register(async (input) =>
    input.hook_event_name === 'PreToolUse' ? guard.answer(input) : {},
  );
  undo.add(() => hooks.unregister(endpoint));
  return hookSettings(endpoint, wish);
}

function feedOf(
  { onEvent }: ClaudeStreamDriverOptions,
  sessionId: string,
  io: AgentIo,
): EventFeed<StreamJsonEvent> | null {
  return onEvent === undefined ? null : new EventFeed((event) => onEvent({ sessionId, event }), io.reading);
}

/** It catches the signals that end it and exits as a shell would say it. */
function readExit(exit: ProcessExit): ProcessExit {
  const { code } = exit;
  if (code === 128 + constants.signals.SIGTERM) return { code: null, signal: 'SIGTERM' };
  if (code === 128 + constants.signals.SIGHUP) return { code: null, signal: 'SIGHUP' };
  return exit;
}
