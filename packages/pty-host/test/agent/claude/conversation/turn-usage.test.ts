import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { expect, it } from 'vitest';

import { ClaudeTurnUsage } from '../../../../src/agent/claude/conversation/turn-usage.ts';
import { TranscriptLines } from '../../../../src/agent/claude/conversation/transcript-lines.ts';

const answer = (id: string, input_tokens: number) =>
  `${JSON.stringify({ type: 'assistant', message: { id, stop_reason: 'end_turn', usage: { input_tokens, output_tokens: 1 } } })}\n`;
const STOPPED = '{"type":"system","subtype":"stop_hook_summary"}\n';
const MUCH = { atMost: Number.POSITIVE_INFINITY };

it('lines are read as they are finished, whole and once; garbage and what is too long for an answer is skipped', async () => {
  await using folder = await temporaryFolder('semo-lines-');
  const path = join(folder.path, 'a.jsonl');
  await writeFile(path, '{"n":0}\n{"n":1}\n{"n"');
  const lines = new TranscriptLines(path, 8);
  const seen: unknown[] = [];
  const read = (limit = MUCH) => lines.read((line) => void seen.push(line), limit);
  await read();
  expect(seen).toEqual([{ n: 1 }]);
  await appendFile(path, `:2}\nno line\n{"long":"${'x'.repeat(5 * 1024 * 1024)}"}\n{"n":"é3"}\n`);
  await read();
  expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 'é3' }]);
  expect(await read()).toBe(0);
  await appendFile(path, '{"n":4}\n{"n":5}\n');
  expect(await read({ atMost: 10 })).toBe(10);
  expect(seen.at(-1)).toEqual({ n: 4 });
});

it('counts the agent’s and its subagents’ answers since the turn began, once it is written that it has stopped', async () => {
  await using folder = await temporaryFolder('semo-usage-');
  const transcript = join(folder.path, 'conversation.jsonl');
  const subagents = join(folder.path, 'conversation', 'subagents');
  await mkdir(subagents, { recursive: true });
  await writeFile(transcript, answer('before', 1000) + STOPPED);
  await writeFile(join(subagents, 'agent-old.jsonl'), answer('old', 2000));
  const usage = new ClaudeTurnUsage(systemClock, transcript);
  await usage.begun;
  await writeFile(join(subagents, 'agent-new.jsonl'), answer('s1', 30));
  await appendFile(join(subagents, 'agent-old.jsonl'), answer('s2', 400));
  await writeFile(join(subagents, 'agent-new.meta.json'), '{}');
  await appendFile(transcript, answer('a', 1));
  const total = usage.read({ stops: 1, failures: 0 });
  await appendFile(transcript, answer('b', 2) + STOPPED);
  expect(await total).toEqual({ inputTokens: 433, outputTokens: 4, cacheReadTokens: 0, cacheCreationTokens: 0 });
});

it('is not known where the agent is gone and has not written that it stopped, or wrote nothing', async () => {
  await using folder = await temporaryFolder('semo-usage-');
  const transcript = join(folder.path, 'conversation.jsonl');
  const usage = new ClaudeTurnUsage(systemClock, transcript);
  await usage.begun;
  const unread = usage.read({ stops: 1, failures: 0 });
  usage.agentGone();
  expect(await unread).toBeNull();
  await writeFile(transcript, answer('a', 1));
  expect(await usage.read({ stops: 1, failures: 0 })).toBeNull();
  await appendFile(transcript, STOPPED);
  expect(await usage.read({ stops: 1, failures: 0 })).toMatchObject({ inputTokens: 1 });
});
