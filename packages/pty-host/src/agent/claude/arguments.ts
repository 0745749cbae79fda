import { SemoError, type AgentSpec } from '@semo-office/core';

import { isVersionBefore } from './version.ts';

/** Messages both ways; permission questions come to us as messages too. */
const STREAM_MODE = [
  '--print',
  '--input-format=stream-json',
  '--output-format=stream-json',
  '--verbose',
  '--permission-prompt-tool=stdio',
];

type StreamSpec = Extract<AgentSpec, { kind: 'claude-stream' }>;

/** The arguments that both ways of speaking with Claude Code have in common. @throws SemoError `invalid_argument`. */
export function claudeArguments({
  model,
  permissionMode = 'default',
}: Pick<StreamSpec, 'model' | 'permissionMode'>): string[] {
  if (model?.startsWith('-'))
    throw new SemoError('invalid_argument', `A model's name cannot begin with a dash: ${model}`);
  return ['--permission-mode', permissionMode, ...(model === undefined ? [] : ['--model', model])];
}

/** From this version on it tells by itself when it takes a prompt; before, it tells the prompt again if asked to. */
const TELLS_OF_PROMPTS = '2.1.329';

/** The arguments that make Claude Code of this version speak in messages, and the session's settings. */
export function claudeStreamArguments(spec: StreamSpec, version: string): string[] {
  const { systemPrompt, appendSystemPrompt, maxTurns, allowedTools = [], disallowedTools = [], resume } = spec;
  const prompts = [...option('--system-prompt', systemPrompt), ...option('--append-system-prompt', appendSystemPrompt)];
  return [
    ...STREAM_MODE,
    ...(isVersionBefore(version, TELLS_OF_PROMPTS) ? ['--replay-user-messages'] : []),
    ...(spec.partialMessages === false ? [] : ['--include-partial-messages']),
    ...claudeArguments(spec),
    ...prompts,
    ...option('--max-turns', maxTurns?.toString()),
    // A conversation that goes on keeps the system prompt it began with unless told otherwise.
    ...(resume !== undefined && prompts.length > 0 ? ['--system-prompt-snapshot', 'off'] : []),
    // These take all words up to the next option.
    ...(allowedTools.length === 0 ? [] : ['--allowedTools', ...allowedTools]),
    ...(disallowedTools.length === 0 ? [] : ['--disallowedTools', ...disallowedTools]),
  ];
}

/** Joined by `=`, so that a value may begin with a dash. */
function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name}=${value}`];
}
