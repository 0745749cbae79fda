import { join } from 'node:path';
import type { AgentSpec } from '@semo-office/core';

import type { AgentDriver, Launch, LaunchContext } from './agent-driver.ts';
import { ClaudeAgent } from './claude-agent.ts';
import { claudeArguments } from './claude-arguments.ts';
import { claudeSettings, writeSettings } from './claude-config.ts';
import { openClaudeHome, type ClaudeDriverOptions, type ClaudeHome } from './claude-home.ts';
import { ClaudeHookListener } from './claude-hook-listener.ts';

type ClaudeSpec = Extract<AgentSpec, { kind: 'claude' }>;

/**
 * Drives Claude Code in a terminal: a private configuration home per session, prompts pasted and verified, the end of a
 * turn told by its Stop hook.
 */
export function createClaudeDriver(options: ClaudeDriverOptions = {}): AgentDriver {
  const hooks = new ClaudeHookListener();
  return {
    kind: 'claude',
    async prepare(context) {
      const spec = context.spec.agent as ClaudeSpec;
      const args = claudeArguments(spec);
      return claudeLaunch({ context, args, home: await openClaudeHome(options, context, spec), hooks });
    },
  };
}

async function claudeLaunch({
  context,
  args,
  home,
  hooks,
}: {
  readonly context: LaunchContext;
  readonly args: readonly string[];
  readonly home: ClaudeHome;
  readonly hooks: ClaudeHookListener;
}): Promise<Launch> {
  const agent = new ClaudeAgent({ statusFolder: join(home.configDir, 'sessions') });
  const endpoint = await hooks.register((input, withdrawn) => agent.onHook(input, withdrawn));
  const settings = await writeSettings(context.folders.config, claudeSettings(endpoint));
  return {
    command: [home.binary, ...args, '--settings', settings],
    over: 'terminal',
    version: home.version,
    configHome: home.isPrivate ? home.configDir : null,
    env: home.env,
    monitor: { sources: ['agent_end', 'exit'], exitMeans: 'crash' },
    attach(io) {
      agent.attach(io);
      return agent;
    },
    async dispose() {
      await hooks.unregister(endpoint);
      await home.release();
    },
  };
}
