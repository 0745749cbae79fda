import { open, stat } from 'node:fs/promises';
import { z } from 'zod';

import type { TurnError } from '@semo-office/core';

import { stopFailure } from '../failure.ts';

/** More of a turn is not read than this, its end. */
const MOST_BYTES = 4 * 1024 * 1024;
const INTERRUPTED = /^\[Request interrupted by user/;
/** How a tool says that it goes on in the background, and how the end of that is told. */
const LAUNCHED = /^(?:Async agent launched|Command running in background)/;
const NOTIFIED = /<tool-use-id>([^<]+)<\/tool-use-id>/g;

const blockSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
});

/** A line of a transcript, as far as it is used; other lines are let through unread. */
const entrySchema = z.looseObject({
  type: z.enum(['user', 'assistant']),
  isSidechain: z.boolean().optional(),
  isApiErrorMessage: z.boolean().optional(),
  error: z.string().nullish(),
  /** When it was written down. */
  timestamp: z.iso.datetime().optional().catch(undefined),
  /** Of a usage limit; epoch seconds. */
  quotaLimits: z.looseObject({ resetsAt: z.number().positive().optional() }).optional().catch(undefined),
  message: z.looseObject({ content: z.union([z.string(), z.array(blockSchema)]) }),
});

type Entry = z.output<typeof entrySchema>;
type Block = z.output<typeof blockSchema>;

/** How a turn stands, by the agent's own transcript. */
export type TranscriptEnd =
  | { readonly kind: 'said'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string; readonly error: TurnError }
  | { readonly kind: 'interrupted' }
  /** The prompt is all there is: the agent works on it, or was interrupted before its first word. */
  | { readonly kind: 'unanswered' }
  /** It waits for a tool, a background task or its model. */
  | { readonly kind: 'open' };

/** How long a transcript is now, in bytes: what is added from now on belongs to the next turn. */
export async function transcriptLength(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Reads how the turn that began at `from` stands; `null` where that cannot be read. */
export async function readTranscriptEnd(path: string, from: number): Promise<TranscriptEnd | null> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const start = Math.max(from, size - MOST_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    return transcriptEnd(bytes.subarray(0, bytesRead).toString('utf8'));
  } catch (thrown) {
    const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    return isMissing ? { kind: 'unanswered' } : null;
  }
}

/** How a turn stands, by the lines of its transcript. Lines that are none are left out. Pure. */
export function transcriptEnd(lines: string): TranscriptEnd {
  const entries = lines.split('\n').flatMap(entryOf);
  const last = entries.at(-1);
  // Old versions write the prompt down with the answer.
  if (last === undefined) return { kind: 'unanswered' };
  if (openTools(entries).size > 0) return { kind: 'open' };
  const text = wordsOf(last);
  if (last.type === 'user') return { kind: userEnd(last, text) };
  if (last.isApiErrorMessage !== true) return { kind: 'said', text };
  return { kind: 'failed', text, error: failureOf(last, text) };
}

function failureOf({ error, timestamp, quotaLimits }: Entry, text: string): TurnError {
  const resetsAt = quotaLimits?.resetsAt;
  return stopFailure(
    { hook_event_name: 'StopFailure', error: error ?? 'unknown', last_assistant_message: text },
    {
      at: Date.parse(timestamp ?? ''),
      resetsAt: resetsAt === undefined ? undefined : resetsAt * 1000,
    },
  );
}

function userEnd(last: Entry, text: string): 'interrupted' | 'unanswered' | 'open' {
  if (INTERRUPTED.test(text)) return 'interrupted';
  const isPrompt = blocksOf(last).every(({ type }) => type === 'text') && text.search(NOTIFIED) === -1;
  return isPrompt ? 'unanswered' : 'open';
}

/** Uses of tools whose results have not come, and background tasks whose end has not been told. */
function openTools(entries: readonly Entry[]): ReadonlySet<string> {
  const open = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'assistant')
      for (const { type, id } of blocksOf(entry)) if (type === 'tool_use' && id) open.add(id);
    if (entry.type === 'assistant') continue;
    for (const block of blocksOf(entry)) {
      const isLaunch = LAUNCHED.test(resultText(block));
      if (block.type === 'tool_result' && block.tool_use_id !== undefined && !isLaunch) open.delete(block.tool_use_id);
    }
    for (const [, id = ''] of wordsOf(entry).matchAll(NOTIFIED)) open.delete(id);
  }
  return open;
}

function entryOf(line: string): Entry[] {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(line));
    return parsed.success && parsed.data.isSidechain !== true ? [parsed.data] : [];
  } catch {
    return [];
  }
}

function blocksOf({ message: { content } }: Entry): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function wordsOf(entry: Entry): string {
  return blocksOf(entry)
    .map(({ type, text }) => (type === 'text' ? (text ?? '') : ''))
    .join('');
}

function resultText({ content }: Block): string {
  if (typeof content === 'string') return content;
  const parsed = z.array(blockSchema).safeParse(content);
  return parsed.success ? (parsed.data[0]?.text ?? '') : '';
}
