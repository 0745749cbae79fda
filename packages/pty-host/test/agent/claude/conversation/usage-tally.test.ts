import { expect, it } from 'vitest';

import { UsageTally } from '../../../../src/agent/claude/conversation/usage-tally.ts';

const SINCE = Date.parse('2026-11-21T12:50:00.000Z');
/** As 2.1.329 writes them, shortened. */
const answer = (id: string, usage: object, more: { stop?: string | null; at?: string; line?: object } = {}) => ({
  parentUuid: '0d6f',
  isSidechain: false,
  message: {
    model: 'claude-opus-5-5',
    id,
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: 'one' }],
    stop_reason: more.stop === undefined ? 'end_turn' : more.stop,
    usage: { service_tier: 'standard', iterations: [], ...usage },
  },
  requestId: 'req_1',
  type: 'assistant',
  timestamp: more.at ?? '2026-11-21T12:50:01.000Z',
  ...more.line,
});
const used = (input_tokens: number, output_tokens: number) => ({
  input_tokens,
  output_tokens,
  cache_creation_input_tokens: 3,
  cache_read_input_tokens: 5,
});
const stopped = { type: 'system', subtype: 'stop_hook_summary', timestamp: '2026-11-21T12:50:01.100Z' };
const apiError = answer('f3b1', used(0, 0), { stop: 'stop_sequence', line: { isApiErrorMessage: true } });

const tally = (...lines: readonly unknown[]) => {
  const all = new UsageTally({ since: SINCE });
  for (const line of lines) all.add(line);
  return all;
};

it.each<[why: string, lines: readonly unknown[], total: object | null]>([
  ['nothing', [], { inputTokens: 0, outputTokens: 0 }],
  [
    'two answers',
    [answer('a', used(10, 2)), answer('b', used(20, 4))],
    { inputTokens: 30, outputTokens: 6, cacheReadTokens: 10, cacheCreationTokens: 6 },
  ],
  [
    'an answer written once for each block: the last counts',
    [answer('a', used(10, 1), { stop: null }), answer('a', used(10, 9)), answer('b', used(1, 1))],
    { inputTokens: 11, outputTokens: 10 },
  ],
  ['a subagent’s in the same file', [answer('a', used(1, 1), { line: { isSidechain: true } })], { inputTokens: 1 }],
  ['no cache told', [answer('a', { input_tokens: 4, output_tokens: 1 })], { cacheReadTokens: 0, inputTokens: 4 }],
  ['an error of the API, which no model has said', [answer('a', used(1, 1)), apiError], { inputTokens: 1 }],
  ['an answer of the turn before', [answer('a', used(9, 9), { at: '2026-11-21T12:49:59.999Z' })], { inputTokens: 0 }],
  ['other lines', [stopped, null, 7, 'x', { type: 'user', message: { content: 'Go.' } }], { inputTokens: 0 }],
  ['an answer that was broken off', [answer('a', used(10, 1), { stop: null }), answer('b', used(1, 1))], null],
  ['an answer whose use is not told', [answer('a', { input_tokens: '1' })], null],
])('a turn’s use, of a transcript with %s', (_, lines, total) => {
  const told = tally(...lines).total();
  expect(total === null ? { told } : told).toMatchObject(total ?? { told: null });
  expect(told?.costUsd).toBeUndefined();
});

it('counts how often the agent has stopped, and nothing of the next turn', () => {
  const all = tally(answer('a', used(1, 1)), stopped, { ...stopped, timestamp: '2026-11-21T12:49:00.000Z' });
  expect(all.tells({ stops: 1, failures: 0 })).toBe(true);
  expect(all.tells({ stops: 2, failures: 0 })).toBe(false);
  expect(all.tells({ stops: 0, failures: 1 })).toBe(false);
  all.add(apiError);
  expect(all.tells({ stops: 1, failures: 1 })).toBe(true);
  all.close(Date.parse('2026-11-21T12:50:02.000Z'));
  all.add(answer('b', used(50, 50), { at: '2026-11-21T12:50:02.000Z' }));
  all.add({ ...stopped, timestamp: '2026-11-21T12:50:02.100Z' });
  expect(all.tells({ stops: 2, failures: 0 })).toBe(false);
  expect(all.total()).toMatchObject({ inputTokens: 1 });
});
