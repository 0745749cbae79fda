import { join } from 'node:path';
import type { AgentSpec } from '@semo-office/core';

import { UndoList } from '../../../undo-list.ts';
import type { AgentDriver, Launch, LaunchContext } from '../../agent-driver.ts';
import { ClaudeAgent } from './terminal-agent.ts';
import { claudeArguments } from '../arguments.ts';
import { writeSettings } from '../config.ts';
import { ClaudeConversations, type ClaudeConversation } from '../conversation/conversations.ts';
import { findClaudeTurn } from '../conversation/find-turn.ts';
import type { ConversationLimits } from '../conversation/kept-conversations.ts';
import { keepsakeOf, takeUpClaude } from './terminal-take-up.ts';
import { MONITOR, attached, hookHandler } from './terminal-hearing.ts';
import { openClaudeHome, signInTraits, type ClaudeDriverOptions, type ClaudeHome } from '../home.ts';
import { ClaudeHookListener } from '../hooks/hook-listener.ts';
import { hookSettings, type HookWish } from '../hooks/hook-settings.ts';
import { ClaudeProofs } from '../guard/proofs.ts';
import { scopeGuardOf } from '../guard/scope-guard.ts';
import { readForeignSettings, recheckForeignSettings, type ForeignSettings } from '../settings/settings-files.ts';

type ClaudeSpec = Extract<AgentSpec, { kind: 'claude' }>;

/** What all sessions of a driver share. */
export interface ClaudeShared {
  readonly hooks: ClaudeHookListener;
  readonly proofs: ClaudeProofs;
}

/** Options of {@link createClaudeDriver}. */
export interface ClaudeTerminalDriverOptions extends ClaudeDriverOptions {
  /** Where conversations are kept that shall outlive their session. Default: nowhere; `keepConversation` is then refused. */
  readonly conversationsDir?: string | undefined;
  /** How long they are kept, and how many; looked at when a session that keeps one ends. Default: 30 days, 1000. */
  readonly keptConversations?: ConversationLimits | undefined;
}

/**
 * Drives Claude Code in a terminal: a private configuration home per session, prompts pasted and verified, the end of a
 * turn told by its Stop hook. What a turn used is read from the transcript after its end: tokens, no cost.
 */
export function createClaudeDriver(options: ClaudeTerminalDriverOptions = {}): AgentDriver {
  return claudeDriver(options, { hooks: new ClaudeHookListener(), proofs: new ClaudeProofs() });
}

/** {@link createClaudeDriver} with parts of the caller's own. */
export function claudeDriver(options: ClaudeTerminalDriverOptions, shared: ClaudeShared): AgentDriver {
  const conversations = new ClaudeConversations(options.conversationsDir, options.keptConversations);
  return {
    kind: 'claude',
    async prepare(context) {
      const spec = context.spec.agent as ClaudeSpec;
      const args = claudeArguments(spec);
      const foreign = await readForeignSettings(context, spec);
      const hold = await conversations.hold(spec);
      const undo = new UndoList();
      undo.add(() => hold.release());
      try {
        const home = await openClaudeHome(options, context, spec);
        undo.add(() => home.release());
        const conversation = await conversations.begin(spec, { home, hold });
        const launch = await claudeLaunch({ context, args, home, conversation, foreign, undo, shared });
        return { ...launch, recheck: () => recheckForeignSettings(context, spec, foreign) };
      } catch (thrown) {
        await undo.run();
        throw thrown;
      }
    },
    takeUp: (context) => takeUpClaude(context, { conversations, hooks: shared.hooks }),
    findTurn: findClaudeTurn,
  };
}

async function claudeLaunch({
  context,
  args,
  home,
  conversation,
  foreign,
  undo,
  shared: { hooks, proofs },
}: {
  readonly context: LaunchContext;
  readonly args: readonly string[];
  readonly home: ClaudeHome;
  readonly conversation: ClaudeConversation;
  readonly foreign: ForeignSettings;
  readonly undo: UndoList;
  readonly shared: ClaudeShared;
}): Promise<Launch> {
  const guard = scopeGuardOf(context);
  const wish: HookWish = { turns: true, guard: guard !== null, ...foreign };
  const proof = guard === null ? null : proofs.begin({ home, wish, folder: context.folders.tmp });
  undo.add(async () => proof?.catch(() => undefined));
  const agent = new ClaudeAgent({ statusFolder: join(home.configDir, 'sessions'), proof, conversation });
  const endpoint = await hooks.register(hookHandler(agent, guard));
  undo.add(() => hooks.unregister(endpoint));
  const settings = await writeSettings(context.folders.config, hookSettings(endpoint, wish));
  return {
    command: [home.binary, ...conversation.args, ...args, '--settings', settings],
    over: 'terminal',
    keepsScope: guard !== null,
    needsNetwork: true,
    version: home.version,
    ...signInTraits(home),
    keepsConversation: conversation.isKept,
    transcripts: conversation.transcripts,
    configHome: home.isPrivate ? home.configDir : null,
    env: home.env,
    keepsake: keepsakeOf({ endpoint, home, conversation, foreign }),
    monitor: MONITOR,
    attach: (io) => attached(agent, guard, io),
    dispose: async () => void (await undo.run()),
  };
}
