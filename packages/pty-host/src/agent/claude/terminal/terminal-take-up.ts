import { join } from 'node:path';
import { SemoError, type AgentSpec } from '@semo-office/core';
import { z } from 'zod';

import { UndoList } from '../../../undo-list.ts';
import type { Launch, TakeUpContext } from '../../agent-driver.ts';
import type { ClaudeConversation, ClaudeConversations } from '../conversation/conversations.ts';
import { credentialIn } from '../credential.ts';
import { scopeGuardOf, type ClaudeScopeGuard } from '../guard/scope-guard.ts';
import type { ClaudeHome } from '../home.ts';
import type { ClaudeHookListener, HookEndpoint } from '../hooks/hook-listener.ts';
import { recheckForeignSettings, type ForeignSettings } from '../settings/settings-files.ts';
import { ClaudeAgent } from './terminal-agent.ts';
import { MONITOR, attached, hookHandler } from './terminal-hearing.ts';

const keepsakeSchema = z.object({
  /** Where its hooks call, and with what. */
  endpoint: z.object({ url: z.url(), token: z.string() }),
  configDir: z.string(),
  /** `null`: it uses the login of the machine. */
  credential: z.object({ expiresAt: z.number().optional() }).nullable(),
  transcripts: z.string(),
  foreign: z.object({ limitHookAddresses: z.boolean() }),
});

type Keepsake = z.output<typeof keepsakeSchema>;
type ClaudeSpec = Extract<AgentSpec, { kind: 'claude' }>;

/** What the next host needs to know of a Claude Code that was started in a terminal. */
export function keepsakeOf({
  endpoint,
  home: { configDir, credential },
  conversation: { transcripts },
  foreign,
}: {
  readonly endpoint: HookEndpoint;
  readonly home: ClaudeHome;
  readonly conversation: ClaudeConversation;
  readonly foreign: ForeignSettings;
}): Keepsake {
  const signedIn = credential === null ? null : { expiresAt: credential.expiresAt };
  return { endpoint, configDir, credential: signedIn, transcripts, foreign };
}

/**
 * Makes ready to go on with a Claude Code that another host has started in a terminal: its hooks are heard where they call.
 *
 * @throws SemoError that says why it cannot be gone on with.
 */
export async function takeUpClaude(
  context: TakeUpContext,
  { conversations, hooks }: { readonly conversations: ClaudeConversations; readonly hooks: ClaudeHookListener },
): Promise<Launch> {
  const spec = context.spec.agent as ClaudeSpec;
  const keepsake = keepsakeSchema.parse(context.keepsake);
  const { endpoint, configDir, transcripts } = keepsake;
  const secret = credentialIn(context.baseEnv)?.value;
  if (keepsake.credential === null || secret === undefined)
    throw new SemoError('not_supported', 'It uses the login of the machine, which this host has not claimed.');
  if (context.conversationId === null)
    throw new SemoError('not_supported', 'Nobody knows in which conversation its agent is.');
  const undo = new UndoList();
  try {
    const held = await conversations.takeUp(spec, { id: context.conversationId, transcripts });
    undo.add(() => held.hold.release());
    const guard = scopeGuardOf(context);
    const { conversation } = held;
    const agent = new ClaudeAgent({ statusFolder: join(configDir, 'sessions'), proof: null, conversation });
    const hear = hookHandler(agent, guard);
    await hooks.takeUp(endpoint, async (input, withdrawn) => {
      // What it tells of its turn is understood when the turn is known.
      await agent.takenUp;
      return hear(input, withdrawn);
    });
    undo.add(() => hooks.unregister(endpoint));
    return takenUpLaunch({ context, keepsake, agent, guard, conversation, secret, undo });
  } catch (thrown) {
    await undo.run();
    throw thrown;
  }
}

function takenUpLaunch({
  context,
  keepsake: { configDir, credential, transcripts, foreign },
  agent,
  guard,
  conversation,
  secret,
  undo,
}: {
  readonly context: TakeUpContext;
  readonly keepsake: Keepsake;
  readonly agent: ClaudeAgent;
  readonly guard: ClaudeScopeGuard | null;
  readonly conversation: ClaudeConversation;
  readonly secret: string;
  readonly undo: UndoList;
}): Launch {
  return {
    command: [],
    over: 'terminal',
    keepsScope: guard !== null,
    needsNetwork: true,
    version: context.version,
    credentialExpiresAt: () => credential?.expiresAt,
    secrets: () => [secret],
    keepsConversation: conversation.isKept,
    transcripts,
    configHome: configDir,
    env: context.baseEnv,
    monitor: MONITOR,
    attach: (io) => attached(agent, guard, io),
    recheck: () => recheckForeignSettings(context, context.spec.agent as ClaudeSpec, foreign),
    dispose: async () => void (await undo.run()),
  };
}
