import { SemoError } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { createTokenKeeper, type FreshToken, type TokenKeeperOptions } from '../../../src/index.ts';

const MINUTE = 60_000;

function keeperOf(
  answer: (call: number, now: number) => FreshToken | Promise<FreshToken>,
  options: Partial<TokenKeeperOptions> = {},
) {
  const clock = new FakeClock();
  const faults: SemoError[] = [];
  let calls = 0;
  const keeper = createTokenKeeper({
    name: 'team',
    clock,
    onFault: (fault) => faults.push(fault),
    refresh: async () => answer((calls += 1), clock.now()),
    ...options,
  });
  return { keeper, clock, faults, calls: () => calls };
}

/** Lets time pass in steps, so that what waits on a promise in between gets its turn. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let step = 0; step < 10; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms / 10);
  }
  await new Promise((resolve) => setImmediate(resolve));
}

const failing = () => {
  throw new Error('Bad gateway: secret token-1-value');
};

describe('a token keeper', () => {
  it('refreshes once for all who need a token', async () => {
    const { keeper, clock, calls } = keeperOf((call, now) => ({
      token: `token-${call}`,
      expiresAt: now + 60 * MINUTE,
    }));
    const all = await Promise.all(Array.from({ length: 50 }, () => keeper.provider()));
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set(['token-1']));
    expect(all[0]).toEqual({
      variable: 'CLAUDE_CODE_OAUTH_TOKEN',
      value: 'token-1',
      id: 'team',
      expiresAt: clock.now() + 60 * MINUTE,
    });
    expect(calls()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('gives another five minutes before the end, again once for all', async () => {
    const { keeper, clock, calls } = keeperOf((call, now) => ({
      token: `token-${call}`,
      expiresAt: now + 60 * MINUTE,
    }));
    await keeper.provider();
    clock.advance(55 * MINUTE - 1);
    expect((await keeper.provider()).value).toBe('token-1');
    clock.advance(1);
    const again = await Promise.all([keeper.provider(), keeper.provider()]);
    expect(again.map(({ value }) => value)).toEqual(['token-2', 'token-2']);
    expect(calls()).toBe(2);
  });

  it('does not refresh a short token all the time, and one without an end never', async () => {
    const short = keeperOf((call, now) => ({ token: `token-${call}`, expiresAt: now + MINUTE }));
    await short.keeper.provider();
    short.clock.advance(MINUTE / 2 - 1);
    await short.keeper.provider();
    expect(short.calls()).toBe(1);
    const endless = keeperOf((call) => ({ token: `token-${call}` }));
    await endless.keeper.provider();
    endless.clock.advance(1e12);
    expect((await endless.keeper.provider()).value).toBe('token-1');
  });

  it('tries again after 1, 2 and 4 seconds, and then says that nobody can sign in', async () => {
    const { keeper, clock, faults, calls } = keeperOf(failing);
    const asked = Promise.allSettled([keeper.provider(), keeper.provider()]);
    await pass(clock, 0);
    expect(calls()).toBe(1);
    await pass(clock, 1000);
    expect(calls()).toBe(2);
    await pass(clock, 1900);
    expect(calls()).toBe(2);
    await pass(clock, 100);
    expect(calls()).toBe(3);
    await pass(clock, 4000);
    for (const each of await asked) {
      expect(each).toMatchObject({
        status: 'rejected',
        reason: { code: 'sign_in_refused', class: 'auth', retryable: true },
      });
    }
    expect(calls()).toBe(4);
    expect(faults).toHaveLength(4);
  });

  it('gives the last token as long as it is good when another cannot be had, and tells it to nobody', async () => {
    const { keeper, clock, faults } = keeperOf(
      (call, now) => (call === 1 ? { token: 'token-1-value', expiresAt: now + 60 * MINUTE } : failing()),
      { retries: 0 },
    );
    await keeper.provider();
    clock.advance(56 * MINUTE);
    expect((await keeper.provider()).value).toBe('token-1-value');
    expect(faults.map(({ message }) => message)).toEqual([
      'The token of team could not be refreshed. Bad gateway: secret [redacted]',
    ]);
    expect(JSON.stringify(faults) + String(faults[0]?.stack) + String(faults[0]?.cause)).not.toContain('token-1-value');
    clock.advance(4 * MINUTE);
    await expect(keeper.provider()).rejects.toMatchObject({ code: 'sign_in_refused' });
  });

  it('does not try again what was refused for good', async () => {
    const { keeper, calls, faults } = keeperOf(() => {
      throw new SemoError('not_signed_in', 'The account was closed.');
    });
    await expect(keeper.provider()).rejects.toMatchObject({ code: 'not_signed_in', class: 'auth', retryable: false });
    expect(calls()).toBe(1);
    expect(faults).toHaveLength(1);
  });

  it.each([
    ['none', {} as FreshToken],
    ['an empty one', { token: '' }],
    ['one that would be two headers', { token: 'a\r\nb: secret-part' }],
    ['one that has expired', { token: 'secret-part', expiresAt: 1 }],
  ])('takes no token that is %s, and does not show it', async (_name, given) => {
    const { keeper } = keeperOf(() => given, { retries: 0 });
    const error = await Promise.resolve(keeper.provider()).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'sign_in_refused' });
    expect(error?.message).not.toContain('secret-part');
  });

  it('gives an attempt that hangs its time, and takes the next', async () => {
    const seen: AbortSignal[] = [];
    const { keeper, clock } = keeperOf(() => ({ token: 'unused' }), {
      refresh: (signal) => {
        seen.push(signal);
        return seen.length === 1 ? new Promise(() => undefined) : { token: 'second' };
      },
    });
    const asked = keeper.provider();
    await pass(clock, 30_000);
    expect(seen[0]?.aborted).toBe(true);
    await pass(clock, 1000);
    expect((await asked).value).toBe('second');
  });

  it('gets another for one that was refused before its time', async () => {
    const { keeper } = keeperOf((call) => ({ token: `token-${call}` }));
    await keeper.provider();
    keeper.forget();
    expect((await keeper.provider()).value).toBe('token-2');
  });

  it('gives nothing once it is closed, also to who waits', async () => {
    const { keeper, clock } = keeperOf(failing);
    const asked = Promise.allSettled([keeper.provider()]);
    await pass(clock, 0);
    keeper.close();
    expect(await asked).toMatchObject([{ status: 'rejected', reason: { code: 'closed' } }]);
    await expect(keeper.provider()).rejects.toMatchObject({ code: 'closed' });
    expect(clock.pending).toBe(0);
  });
});
