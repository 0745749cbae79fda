import { SemoError, assertNever, permissionModeSchema, type AgentSpec, type PermissionMode } from 'semo-office';

import { commandWords } from './command-words.ts';
import type { RunOptions } from './run-options.ts';

const AGENTS = ['claude', 'claude-stream', 'command', 'shell'] as const;
type AgentName = (typeof AGENTS)[number];

const CLAUDE: readonly AgentName[] = ['claude', 'claude-stream'];
const STREAM: readonly AgentName[] = ['claude-stream'];

/** Options that only some agents take. */
const TAKEN_BY: Readonly<Partial<Record<keyof RunOptions, readonly AgentName[]>>> = {
  exec: ['command'],
  'exec-pipe': ['command'],
  shell: ['shell'],
  'permission-mode': CLAUDE,
  model: CLAUDE,
  'use-login': CLAUDE,
  'system-prompt': STREAM,
  'append-system-prompt': STREAM,
  'max-turns': STREAM,
  'allowed-tools': STREAM,
  'disallowed-tools': STREAM,
  'keep-conversation': CLAUDE,
  resume: CLAUDE,
};

/** The agent that `semo run` was asked for. @throws SemoError `unknown_agent`, `invalid_argument`. */
export function agentSpec(values: RunOptions): AgentSpec {
  const agent = AGENTS.find((name) => name === values.agent);
  if (agent === undefined) {
    const known = AGENTS.join(', ');
    throw new SemoError('unknown_agent', `There is no agent ${JSON.stringify(values.agent)}. Known: ${known}.`);
  }
  checkTaken(agent, values);
  switch (agent) {
    case 'claude':
      return { kind: agent, ...claudeSettings(values) };
    case 'claude-stream':
      return { kind: agent, ...claudeSettings(values), ...streamSettings(values) };
    case 'shell':
      return { kind: agent, shell: values.shell ?? 'bash' };
    case 'command':
      return commandSpec(values);
    default:
      return assertNever(agent);
  }
}

function checkTaken(agent: AgentName, values: RunOptions): void {
  for (const [option, takers] of Object.entries(TAKEN_BY)) {
    if (values[option as keyof RunOptions] === undefined || takers.includes(agent)) continue;
    throw new SemoError('invalid_argument', `--${option} goes with --agent ${takers.join(' or ')}.`);
  }
}

function claudeSettings(values: RunOptions) {
  return {
    permissionMode: permissionMode(values['permission-mode'] ?? 'default'),
    useLogin: values['use-login'] ?? false,
    keepConversation: values['keep-conversation'] ?? false,
    ...(values.model === undefined ? {} : { model: values.model }),
    ...(values.resume === undefined ? {} : { resume: values.resume }),
  };
}

function permissionMode(value: string): PermissionMode {
  const mode = permissionModeSchema.safeParse(value);
  if (mode.success) return mode.data;
  const known = permissionModeSchema.options.join(', ');
  throw new SemoError('invalid_argument', `--permission-mode is one of ${known}.`);
}

function streamSettings(values: RunOptions) {
  const { 'system-prompt': systemPrompt, 'append-system-prompt': appendSystemPrompt } = values;
  return {
    allowedTools: values['allowed-tools'] ?? [],
    disallowedTools: values['disallowed-tools'] ?? [],
    ...(systemPrompt === undefined ? {} : { systemPrompt }),
    ...(appendSystemPrompt === undefined ? {} : { appendSystemPrompt }),
    ...(values['max-turns'] === undefined ? {} : { maxTurns: count('max-turns', values['max-turns']) }),
  };
}

function count(option: string, value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new SemoError('invalid_argument', `--${option} takes a whole number above 0, not ${JSON.stringify(value)}.`);
}

function commandSpec({ exec, 'exec-pipe': execPipe }: RunOptions): AgentSpec {
  if (exec !== undefined && execPipe !== undefined)
    throw new SemoError('invalid_argument', 'Give --exec or --exec-pipe, not both.');
  const command = exec ?? execPipe;
  if (command === undefined)
    throw new SemoError('invalid_argument', "--agent command needs --exec 'CMD ARGS' or --exec-pipe 'CMD ARGS'.");
  return { kind: 'command', command: commandWords(command), over: exec === undefined ? 'pipe' : 'terminal' };
}
