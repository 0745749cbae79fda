import { describe, expect, it } from 'vitest';

import { isQuota, limitInWords, statedPauseMs } from '../../../src/agent/claude/limit-reset.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 24, 5);
const utc = (...[year, month, day, hour, minute]: [number, number, number, number, number]) =>
  Date.UTC(year, month - 1, day, hour, minute);

describe('what a sentence says of a limit', () => {
  it.each([
    { said: "You've hit your 5-hour limit · resets 11:24am (UTC)", retryAt: utc(2026, 11, 21, 11, 25) },
    { said: "You've hit your 5-hour limit · resets 9:24am (UTC)", retryAt: utc(2026, 11, 21, 9, 25) },
    { said: "You've hit your 5-hour limit · resets 9:23am (UTC)", retryAt: utc(2026, 11, 22, 9, 24) },
    { said: "You've hit your 5-hour limit · resets 12am (UTC)", retryAt: utc(2026, 11, 22, 0, 1) },
    { said: "You've hit your Opus limit · resets 8pm (Asia/Seoul)", retryAt: utc(2026, 11, 21, 11, 1) },
    { said: "You've hit your weekly limit · resets 2:26pm (Asia/Seoul)", retryAt: utc(2026, 11, 22, 5, 27) },
    { said: "You've hit your weekly limit · resets Nov 24, 6:47pm (Asia/Seoul)", retryAt: utc(2026, 11, 24, 9, 48) },
    { said: "You've hit your weekly limit · resets Jan 3, 6pm (UTC)", retryAt: utc(2027, 1, 3, 18, 1) },
    { said: "You've hit your weekly limit · resets Dec 26, 2027, 6:26pm (UTC)", retryAt: utc(2027, 12, 26, 18, 27) },
    // The clocks of New York are 4 hours behind in July, 5 in November.
    {
      said: "You've hit your weekly limit · resets Jul 4, 2027, 8am (America/New_York)",
      retryAt: utc(2027, 7, 4, 12, 1),
    },
    { said: "You've hit your weekly limit · resets Nov 22, 8am (America/New_York)", retryAt: utc(2026, 11, 22, 13, 1) },
    { said: 'Claude AI usage limit reached|1795260244', retryAt: 1_795_260_244_000 },
    {
      said: 'API Error: 400 You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
      retryAt: utc(2026, 12, 1, 0, 0),
    },
  ])('$said', ({ said, retryAt }) => {
    expect(limitInWords(said, NOW)).toEqual({ retryAt, limit: 'quota' });
  });

  it.each([
    // Whose clock is not said.
    "You've hit your 5-hour limit · resets 11:24am",
    "You've hit your 5-hour limit · resets 11:24am (Middle/Earth)",
    "You've hit your 5-hour limit · resets 13:24pm (UTC)",
    "You've hit your weekly limit · resets Foo 24, 6:47pm (UTC)",
    "You've hit your usage limit",
  ])('%s: a quota, and no time that could be known', (said) => {
    expect(limitInWords(said, NOW)).toEqual({ limit: 'quota' });
  });

  it('knows a limit that a moment helps against', () => {
    const said =
      'API Error: Server is temporarily limiting requests (not your usage limit) · Scripted rate_limit_error';
    expect(limitInWords(said, NOW)).toEqual({ limit: 'rate' });
    expect(limitInWords('API Error: Request rejected (429) · Slow down', NOW)).toEqual({ limit: 'rate' });
    expect(isQuota('Your prompt is over the limit')).toBe(false);
  });

  it('knows no time of what was said it is not known when', () => {
    expect(limitInWords("You've hit your 5-hour limit · resets 11:24am (UTC)", Number.NaN)).toEqual({ limit: 'quota' });
  });

  it.each([
    ['resets ' + 'Nov 24, '.repeat(20_000)],
    ['hit your ' + 'a '.repeat(50_000)],
    ['hit your '.repeat(20_000)],
    ['resets 11:24am ('.repeat(20_000)],
  ])('is read at once, however long', (said) => {
    const before = performance.now();
    limitInWords(said, NOW);
    expect(performance.now() - before).toBeLessThan(50);
  });
});

describe('the pause before an attempt', () => {
  it.each([
    // As measured: nothing stated, then `retry-after` of 20, 50 and 59 s.
    { attempt: 1, delayMs: 511, stated: undefined },
    { attempt: 2, delayMs: 1094, stated: undefined },
    { attempt: 5, delayMs: 8937, stated: undefined },
    { attempt: 6, delayMs: 18_351, stated: undefined },
    { attempt: 10, delayMs: 39_000, stated: undefined },
    { attempt: 1, delayMs: 23_853, stated: 23_853 },
    { attempt: 1, delayMs: 55_294, stated: 55_294 },
    { attempt: 9, delayMs: 68_996, stated: 68_996 },
  ])('of $delayMs ms before attempt $attempt was stated: $stated', ({ stated, ...pause }) => {
    expect(statedPauseMs(pause)).toBe(stated);
  });
});
