import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TranscriptFinding } from '@semo-office/core';
import { z } from 'zod';

import type { TurnSearch } from '../../agent-driver.ts';
import { promptDigest } from '../../prompt-text.ts';
import { transcriptEnd } from './transcript.ts';

/** Reasons of the model to stop after which Claude Code's turn is over; after others it goes on. */
const ENDS_TURN: ReadonlySet<unknown> = new Set(['end_turn', 'stop_sequence']);

/** A line that may be a prompt, or the agent's last word. */
const entrySchema = z.looseObject({
  type: z.enum(['user', 'assistant']),
  isSidechain: z.boolean().optional(),
  timestamp: z.string().optional(),
  message: z.looseObject({
    content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
    stop_reason: z.string().nullish(),
  }),
});

type Entry = z.output<typeof entrySchema>;

interface Line {
  readonly text: string;
  readonly entry: Entry;
}

/** Looks a prompt up in the transcript of a Claude Code that is gone, and how its turn stood at the end. */
export async function findClaudeTurn(search: TurnSearch): Promise<TranscriptFinding> {
  try {
    const path = await transcriptPath(search);
    return path === null ? { kind: 'unreadable' } : await readTurn(path, search);
  } catch {
    return { kind: 'unreadable' };
  }
}

/** It lies in a folder that is named for the working folder, in a way that is Claude Code's own. */
export async function transcriptPath({
  transcripts,
  conversationId,
}: Pick<TurnSearch, 'transcripts' | 'conversationId'>): Promise<string | null> {
  // It names a file: what is no id of a conversation is none.
  if (!z.uuid().safeParse(conversationId).success) return null;
  const file = `${conversationId}.jsonl`;
  for (const project of await readdir(transcripts)) {
    const names = await readdir(join(transcripts, project)).catch((): string[] => []);
    if (names.includes(file)) return join(transcripts, project, file);
  }
  return null;
}

/** Line by line: a transcript may have hundreds of megabytes, and the prompt may be anywhere in it. */
async function readTurn(path: string, search: TurnSearch): Promise<TranscriptFinding> {
  const turn: Line[] = [];
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const entry = entryOf(text);
    if (entry === null) continue;
    if (turn.length === 0 && !isPrompt(entry, search)) continue;
    // The next prompt begins a turn of its own once this one is over; until then it is told to an agent at work.
    if (entry.type === 'user' && turn.length > 0 && stateOf(turn).kind !== 'unfinished') break;
    turn.push({ text, entry });
  }
  return turn.length === 0 ? { kind: 'absent' } : stateOf(turn);
}

function stateOf(turn: readonly Line[]): TranscriptFinding {
  const last = turn.at(-1)?.entry;
  // Most entries are in the middle of a turn, and need no closer look.
  if (last?.type !== 'assistant' || !ENDS_TURN.has(last.message.stop_reason)) return { kind: 'unfinished' };
  const end = transcriptEnd(turn.map(({ text }) => text).join('\n'));
  if (end.kind === 'failed') return end;
  return end.kind === 'said' && end.text !== '' ? { kind: 'finished', text: end.text } : { kind: 'unfinished' };
}

function isPrompt({ type, timestamp, message }: Entry, { digest, since }: TurnSearch): boolean {
  if (type !== 'user' || timestamp === undefined || Date.parse(timestamp) < since) return false;
  const { content } = message;
  const text = typeof content === 'string' ? content : content.map((block) => block.text ?? '').join('');
  return promptDigest(text) === digest;
}

function entryOf(line: string): Entry | null {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(line));
    return parsed.success && parsed.data.isSidechain !== true ? parsed.data : null;
  } catch {
    return null;
  }
}
