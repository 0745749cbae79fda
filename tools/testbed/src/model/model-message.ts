import { randomBytes } from 'node:crypto';
import type { HangStep, LongStep, TextStep, ToolsStep } from './model-step.ts';

/** Steps that end with a whole message. */
export type MessageStep = TextStep | ToolsStep | LongStep | HangStep;

/** One block of the model's answer; a text is made of the deltas it is sent in, and can be read once. */
export type AnswerBlock =
  | { readonly type: 'thinking'; readonly thinking: string }
  | { readonly type: 'text'; readonly deltas: Iterable<string> }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

/** A whole answer before it is put on the wire. */
export interface ModelMessage {
  readonly id: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly blocks: readonly AnswerBlock[];
  readonly stopReason: string;
}

/** A new id in Anthropic's form, such as `msg_5f0c…`. */
export function newId(prefix: 'msg' | 'toolu' | 'req'): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/** About how many tokens a text has: four bytes each. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Turns a step into the message it stands for. */
export function messageOf(step: MessageStep, { model, prompt }: { model: string; prompt: string }): ModelMessage {
  return {
    id: newId('msg'),
    model,
    inputTokens: estimateTokens(prompt),
    blocks: blocksOf(step),
    stopReason: stopReasonOf(step),
  };
}

function stopReasonOf(step: MessageStep): string {
  if (step.kind === 'tools') return 'tool_use';
  return step.kind === 'text' ? (step.stopReason ?? 'end_turn') : 'end_turn';
}

function blocksOf(step: MessageStep): AnswerBlock[] {
  if (step.kind === 'long') return [{ type: 'text', deltas: numberedLines(step) }];
  if (step.kind === 'hang') return [{ type: 'text', deltas: hangDeltas(step) }];
  const blocks: AnswerBlock[] = [];
  if (step.thinking !== undefined) blocks.push({ type: 'thinking', thinking: step.thinking });
  if (step.text !== undefined) blocks.push({ type: 'text', deltas: textDeltas(step.text, step.pace?.bytesPerChunk) });
  if (step.kind === 'tools') {
    for (const { name, input } of step.uses) blocks.push({ type: 'tool_use', id: newId('toolu'), name, input });
  }
  return blocks;
}

function hangDeltas({ text, thenText = 'Released.' }: HangStep): string[] {
  return text === undefined ? [thenText] : [text, thenText];
}

/** Splits a text into pieces of about `bytes` UTF-8 bytes, never inside a character. */
export function* textDeltas(text: string, bytes = Number.POSITIVE_INFINITY): Generator<string> {
  let piece = '';
  let size = 0;
  for (const character of text) {
    piece += character;
    size += Buffer.byteLength(character);
    if (size < bytes) continue;
    yield piece;
    piece = '';
    size = 0;
  }
  if (piece !== '') yield piece;
}

const linesPerDelta = 50;

function* numberedLines({ lines, line = 'the quick brown fox jumps over the lazy dog' }: LongStep): Generator<string> {
  for (let first = 1; first <= lines; first += linesPerDelta) {
    const count = Math.min(linesPerDelta, lines - first + 1);
    yield Array.from({ length: count }, (_, index) => `${first + index} ${line}\n`).join('');
  }
}
