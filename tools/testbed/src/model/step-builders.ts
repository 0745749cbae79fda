import type { CutPoint, CutStep, ErrorStep, HangStep, LongStep, TextStep, ToolsStep, ToolUse } from './model-step.ts';

/**
 * The model says `text` and ends its turn.
 * @example say('Done. [SEMO:DONE]', { pace: { bytesPerChunk: 16, delayMs: 20 } })
 */
export function say(text: string, options: Omit<TextStep, 'kind' | 'text'> = {}): TextStep {
  return { kind: 'text', text, ...options };
}

/**
 * The model calls one tool.
 * @example useTool('Write', { file_path: '/repo/a.txt', content: 'hello' }, { text: 'Writing the file.' })
 */
export function useTool(
  name: string,
  input: ToolUse['input'],
  options: Omit<ToolsStep, 'kind' | 'uses'> = {},
): ToolsStep {
  return { kind: 'tools', uses: [{ name, input }], ...options };
}

/**
 * The model calls several tools in one message.
 * @example useTools([{ name: 'Bash', input: { command: 'ls' } }, { name: 'Bash', input: { command: 'pwd' } }])
 */
export function useTools(uses: readonly ToolUse[], options: Omit<ToolsStep, 'kind' | 'uses'> = {}): ToolsStep {
  return { kind: 'tools', uses, ...options };
}

/**
 * The model says `lines` numbered lines.
 * @example sayLines(2000)
 */
export function sayLines(lines: number, options: Omit<LongStep, 'kind' | 'lines'> = {}): LongStep {
  return { kind: 'long', lines, ...options };
}

/**
 * The API answers with an error.
 * @example failWith(529, 'overloaded_error')
 * @example failWith(429, 'rate_limit_error', { headers: { 'retry-after': '1' } })
 */
export function failWith(
  status: number,
  errorType: string,
  options: { readonly message?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): ErrorStep {
  return { kind: 'error', status, errorType, message: `Scripted ${errorType}`, ...options };
}

/**
 * The connection breaks.
 * @param at Default: `text`, in the middle of a text block.
 * @example cutStream('connection')
 */
export function cutStream(at: CutPoint = 'text', options: { readonly text?: string } = {}): CutStep {
  return { kind: 'cut', at, ...options };
}

/**
 * The model stays silent until the client gives up or the server's `release()` is called.
 * @example hang({ text: 'Thinking about it', thenText: 'Here it is.' })
 */
export function hang(options: Omit<HangStep, 'kind'> = {}): HangStep {
  return { kind: 'hang', ...options };
}
