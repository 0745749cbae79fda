import { SemoError } from '@semo-office/core';

import type { AgentControl, AgentIo, Launch } from '../../agent-driver.ts';
import type { ClaudeScopeGuard } from '../guard/scope-guard.ts';
import type { HookHandler } from '../hooks/hook-listener.ts';
import type { ClaudeAgent } from './terminal-agent.ts';

/** What a turn of a running Claude Code in a terminal is judged by. */
export const MONITOR: Launch['monitor'] = {
  sources: ['agent_end', 'exit', 'status_file', 'title'],
  exitMeans: 'crash',
};

/** Whoever has to hear of a hook, hears of it. */
export function hookHandler(agent: ClaudeAgent, guard: ClaudeScopeGuard | null): HookHandler {
  return async (input, withdrawn) => {
    if (input.hook_event_name !== 'PreToolUse') return agent.onHook(input, withdrawn);
    if (guard === null) throw new SemoError('internal', 'Nobody guards this session.');
    return guard.answer(input);
  };
}

/** The agent, running, with its guard between it and people's answers. */
export function attached(agent: ClaudeAgent, guard: ClaudeScopeGuard | null, io: AgentIo): AgentControl {
  guard?.follow(io);
  agent.attach(guard?.guardAnswers(io) ?? io);
  return agent;
}
