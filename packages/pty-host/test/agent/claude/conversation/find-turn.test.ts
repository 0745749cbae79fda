import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { findClaudeTurn } from '../../../../src/agent/claude/conversation/find-turn.ts';
import { promptDigest } from '../../../../src/agent/prompt-text.ts';

const CONVERSATION = '00000000-0000-4000-8000-000000000001';
const SENT_AT = Date.parse('2026-01-01T00:00:10.000Z');

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
const user = (content: unknown, second = 11, more: object = {}) => ({
  type: 'user',
  timestamp: at(second),
  message: { role: 'user', content },
  ...more,
});
const says = (text: string, stop: string | null = 'end_turn', more: object = {}) => ({
  type: 'assistant',
  timestamp: at(12),
  message: { content: [{ type: 'text', text }], stop_reason: stop },
  ...more,
});
const uses = (id: string) => ({
  type: 'assistant',
  timestamp: at(12),
  message: { content: [{ type: 'tool_use', id, name: 'Bash', input: {} }], stop_reason: 'tool_use' },
});
const result = (id: string, content = 'ok') => user([{ type: 'tool_result', tool_use_id: id, content }]);
const PROMPT = 'Add 20\tand 22.';

async function find(entries: readonly object[], { prompt = PROMPT, tail = '', conversationId = CONVERSATION } = {}) {
  await using folder = await temporaryFolder('semo-transcripts-');
  const project = join(folder.path, '-work');
  await mkdir(project);
  await mkdir(join(folder.path, '-other'));
  await writeFile(join(folder.path, 'stray.txt'), '');
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('') + tail;
  await writeFile(join(project, `${CONVERSATION}.jsonl`), text);
  return await findClaudeTurn({
    transcripts: folder.path,
    conversationId,
    digest: promptDigest(prompt),
    since: SENT_AT,
  });
}

describe('a prompt is looked up in the transcript of Claude Code', () => {
  it.each([
    { what: 'nothing', entries: [], kind: 'absent' },
    { what: 'other prompts', entries: [user('Hello.'), says('Hi.')], kind: 'absent' },
    { what: 'the same words before it was sent', entries: [user(PROMPT, 9), says('42.')], kind: 'absent' },
    { what: 'the same words of a subagent', entries: [user(PROMPT, 11, { isSidechain: true })], kind: 'absent' },
    { what: 'the prompt alone', entries: [user(PROMPT)], kind: 'unfinished' },
    { what: 'a word before a tool', entries: [user(PROMPT), says('I will.', 'tool_use')], kind: 'unfinished' },
    { what: 'a word of an old version', entries: [user(PROMPT), says('I will.', null)], kind: 'unfinished' },
    { what: 'a tool at work', entries: [user(PROMPT), uses('t1')], kind: 'unfinished' },
    { what: 'a result nobody has read', entries: [user(PROMPT), uses('t1'), result('t1')], kind: 'unfinished' },
    {
      what: 'a task in the background',
      entries: [user(PROMPT), uses('t1'), result('t1', 'Command running in background with ID: b1'), says('Started.')],
      kind: 'unfinished',
    },
    {
      what: 'an interrupt',
      entries: [user(PROMPT), says('Hm.', null), user([{ type: 'text', text: '[Request interrupted by user]' }])],
      kind: 'unfinished',
    },
    { what: 'the end', entries: [user(PROMPT), uses('t1'), result('t1'), says('42.')], kind: 'finished' },
  ])('and found $kind where there is $what', async ({ entries, kind }) => {
    expect((await find(entries)).kind).toBe(kind);
  });

  it.each([
    {
      how: 'in blocks',
      content: [
        { type: 'text', text: PROMPT },
        { type: 'text', text: ' ' },
      ],
    },
    { how: 'with spaces for tabs', content: 'Add 20    and 22.\n' },
    { how: 'as a paste', content: `\n\n<pasted_content id="9">\n${PROMPT}\n</pasted_content id="9">\n` },
  ])('however it was written down: $how', async ({ content }) => {
    expect(await find([user(content), says('42.')])).toEqual({ kind: 'finished', text: '42.' });
  });

  it('and gives the error that the agent ended with', async () => {
    const entries = [
      user(PROMPT),
      says('API Error: 529 Overloaded', 'stop_sequence', { isApiErrorMessage: true, error: 'overloaded' }),
    ];
    expect(await find(entries)).toMatchObject({ kind: 'failed', error: { code: 'agent_overloaded' } });
  });

  it('and what comes after its end belongs to the next prompt', async () => {
    expect(await find([user(PROMPT), says('42.'), user('And now?', 13), uses('t2')])).toEqual({
      kind: 'finished',
      text: '42.',
    });
    const told = [user(PROMPT), uses('t1'), user('Hurry up.', 13), result('t1'), says('Done.')];
    expect(await find(told)).toEqual({ kind: 'finished', text: 'Done.' });
  });

  it('also where the last line is cut off', async () => {
    expect(await find([user(PROMPT)], { tail: '{"type":"assistant","mess' })).toEqual({ kind: 'unfinished' });
  });

  it('and nothing is concluded from what cannot be read', async () => {
    expect(await find([], { conversationId: '00000000-0000-4000-8000-000000000002' })).toEqual({ kind: 'unreadable' });
    expect(await find([], { conversationId: '../secret' })).toEqual({ kind: 'unreadable' });
    const search = { transcripts: '/nowhere', conversationId: CONVERSATION, digest: promptDigest(PROMPT), since: 0 };
    expect(await findClaudeTurn(search)).toEqual({ kind: 'unreadable' });
    await using folder = await temporaryFolder('semo-transcripts-');
    await mkdir(join(folder.path, '-work', `${CONVERSATION}.jsonl`), { recursive: true });
    expect(await findClaudeTurn({ ...search, transcripts: folder.path })).toEqual({ kind: 'unreadable' });
    await rm(folder.path, { recursive: true });
    await mkdir(folder.path);
  });
});
