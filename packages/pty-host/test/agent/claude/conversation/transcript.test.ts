import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { expect, it } from 'vitest';

import {
  readTranscriptEnd,
  transcriptEnd,
  transcriptLength,
} from '../../../../src/agent/claude/conversation/transcript.ts';

const prompt = { type: 'user', message: { content: 'Do it.' } };
const said = (text: string, more: object = {}) => ({
  type: 'assistant',
  message: { content: [{ type: 'text', text }] },
  ...more,
});
const use = (id: string) => ({ type: 'assistant', message: { content: [{ type: 'tool_use', id, name: 'Bash' }] } });
const result = (id: string, content: unknown = 'ok') => ({
  type: 'user',
  message: { content: [{ type: 'tool_result', tool_use_id: id, content }] },
});
const launched = [{ type: 'text', text: 'Async agent launched successfully.' }];
const notified = (id: string) => ({
  type: 'user',
  message: { content: `<task-notification>\n<tool-use-id>${id}</tool-use-id>\n</task-notification>` },
});
const interrupted = { type: 'user', message: { content: [{ type: 'text', text: '[Request interrupted by user]' }] } };
const lines = (...entries: readonly object[]) => entries.map((entry) => JSON.stringify(entry)).join('\n');

it.each<[why: string, text: string, end: object]>([
  ['an answer', lines(prompt, said('A'), { type: 'last-prompt' }), { kind: 'said', text: 'A' }],
  ['an answer after a tool', lines(prompt, use('1'), result('1'), said('A')), { kind: 'said', text: 'A' }],
  ['the last of several', lines(prompt, said('A'), use('1'), result('1'), said('B')), { kind: 'said', text: 'B' }],
  ['nothing', '', { kind: 'unanswered' }],
  ['no answer yet', lines(prompt), { kind: 'unanswered' }],
  ['a tool that runs', lines(prompt, said('A'), use('1')), { kind: 'open' }],
  ['a result the model has not seen', lines(prompt, use('1'), result('1')), { kind: 'open' }],
  ['a background task', lines(prompt, use('1'), result('1', launched), said('A')), { kind: 'open' }],
  [
    'a command in the background',
    lines(prompt, use('1'), result('1', 'Command running in background with ID: x'), said('A')),
    { kind: 'open' },
  ],
  [
    'a background task that is over',
    lines(prompt, use('1'), result('1', launched), said('A'), notified('1'), said('B')),
    { kind: 'said', text: 'B' },
  ],
  [
    'a background task just over',
    lines(prompt, use('1'), result('1', launched), said('A'), notified('1')),
    { kind: 'open' },
  ],
  ['an interrupt', lines(prompt, said('A'), interrupted), { kind: 'interrupted' }],
  ['a subagent’s words', lines(prompt, said('[SEMO:DONE]', { isSidechain: true })), { kind: 'unanswered' }],
  ['words it had half written', `${lines(prompt, said('A'))}\n{"type":"assis`, { kind: 'said', text: 'A' }],
  [
    'an error of the API',
    lines(prompt, said('API Error: 529', { isApiErrorMessage: true, error: 'overloaded' })),
    { kind: 'failed', text: 'API Error: 529', error: { code: 'agent_overloaded' } },
  ],
])('a transcript with %s', (_, text, end) => {
  expect(transcriptEnd(text)).toMatchObject(end);
});

it('is read from where the turn began', async () => {
  await using folder = await temporaryFolder('semo-transcript-');
  const file = join(folder.path, 'transcript.jsonl');
  expect(await transcriptLength(file)).toBe(0);
  expect(await readTranscriptEnd(file, 0)).toEqual({ kind: 'unanswered' });
  expect(await readTranscriptEnd(folder.path, 0)).toBeNull();
  await writeFile(file, `${lines(prompt, said('Before.'))}\n`);
  const from = await transcriptLength(file);
  expect(await readTranscriptEnd(file, from)).toEqual({ kind: 'unanswered' });
  await appendFile(file, `${lines(prompt, said('Now.'))}\n`);
  expect(await readTranscriptEnd(file, from)).toEqual({ kind: 'said', text: 'Now.' });
});
