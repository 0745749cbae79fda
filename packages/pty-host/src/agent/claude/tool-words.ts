import type { Words } from '@semo-office/core';
import { z } from 'zod';

import { terminalText } from '../../terminal-text.ts';

/** The one tool that prints what happened; what others give back is the contents of files and pages. */
export const PRINTING_TOOL = 'Bash';

const inputSchema = z.looseObject({ command: z.string().catch('') }).catch({ command: '' });
const responseSchema = z.union([
  z.looseObject({ stdout: z.string().catch(''), stderr: z.string().catch('') }),
  z.string().transform((stdout) => ({ stdout, stderr: '' })),
]);

/** What a tool of Claude Code printed, from the input and the response that its hooks and messages show. */
export function toolWords({
  tool,
  input,
  response,
}: {
  readonly tool: string;
  readonly input: unknown;
  readonly response: unknown;
}): Words[] {
  const printed = responseSchema.safeParse(response);
  if (tool !== PRINTING_TOOL || !printed.success) return [];
  const { command } = inputSchema.parse(input);
  const { stdout, stderr } = printed.data;
  const both: Words[] = [
    { by: 'tool', command, stream: 'output', text: terminalText(stdout) },
    { by: 'tool', command, stream: 'error', text: terminalText(stderr) },
  ];
  return both.filter(({ text }) => text !== '');
}

/** What a tool of Claude Code that failed had to say; output and errors come as one there. */
export function failureWords({
  tool,
  input,
  error,
}: {
  readonly tool: string;
  readonly input: unknown;
  readonly error: string;
}): Words[] {
  if (tool !== PRINTING_TOOL) return [];
  return [{ by: 'tool', command: inputSchema.parse(input).command, stream: 'error', text: terminalText(error) }];
}
