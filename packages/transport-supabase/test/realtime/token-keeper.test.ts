import { SemoError } from '@semo-office/core';
import { FakeClock, expectError } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { TokenKeeper } from '../../src/realtime/token-keeper.ts';
import { tokenOf } from './tokens.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A keeper whose tokens `fetchToken` gives, and what comes of it. */
function staged(fetchToken: (fetches: number, clock: FakeClock) => Promise<string>) {
  const clock = new FakeClock(0);
  const fetchedAt: number[] = [];
  const problems: string[] = [];
  const told = { fresh: 0 };
  const keeper = new TokenKeeper({
    clock,
    fetchToken: () => fetchToken(fetchedAt.push(clock.now()), clock),
    onFresh: () => (told.fresh += 1),
    onProblem: ({ code, message }) => problems.push(`${code}: ${message}`),
  });
  /** Lets so many seconds pass, asking for the token after each; gives what it was, or the code of why there was none. */
  const pass = async (seconds: number, after: (token: string) => void = () => {}): Promise<string[]> => {
    const seen: string[] = [];
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      await settled();
      const token = await keeper.current().catch(({ code }: SemoError) => code);
      seen.push(token);
      after(token);
    }
    return seen;
  };
  return { clock, keeper, fetchedAt, problems, told, pass };
}

const fresh = (clock: FakeClock, lifeS: number, jti = 0): string => {
  const iat = Math.floor(clock.now() / 1000);
  return tokenOf({ iat, exp: iat + lifeS, jti });
};

describe('TokenKeeper', () => {
  it('fetches once for all who ask, and again by itself in time', async () => {
    const { clock, keeper, fetchedAt, told } = staged(async (_, now) => fresh(now, 3600));
    const [one, other] = await Promise.all([keeper.current(), keeper.current()]);
    expect(other).toBe(one);
    expect(fetchedAt).toHaveLength(1);
    clock.advance(3_539_999);
    expect(await keeper.current()).toBe(one);
    clock.advance(1);
    await settled();
    expect([fetchedAt.length, told.fresh]).toEqual([2, 1]);
    expect(await keeper.current()).not.toBe(one);
    keeper.close();
    expect(clock.pending).toBe(0);
  });

  it('tells nothing of what was thrown, and tries again', async () => {
    let isDown = true;
    const { clock, keeper, problems } = staged(async (_, now) => {
      if (isDown) throw new Error('Bearer secret-token was refused');
      return fresh(now, 3600);
    });
    const error = await expectError(keeper.current(), 'sign_in_refused');
    expect(JSON.stringify([error.message, problems])).not.toContain('secret-token');
    isDown = false;
    clock.advance(2000);
    await settled();
    expect(await keeper.current()).toContain('head.');
    keeper.close();
  });

  it('says as its own refusal what is known of why there is none', async () => {
    const { keeper } = staged(() => Promise.reject(new SemoError('invalid_argument', 'The file is empty.')));
    const error = await expectError(keeper.current(), 'sign_in_refused');
    expect([error.message, error.retryable]).toEqual(['The file is empty.', true]);
    keeper.close();
  });

  it('gives a token that is good while the next one is not to be had', async () => {
    const token = tokenOf({ exp: 12 });
    const { keeper, problems, pass } = staged(async (fetches) => {
      if (fetches > 1) throw new Error('hiccup');
      return token;
    });
    expect(await keeper.current()).toBe(token);
    expect(await pass(11)).toEqual(Array(11).fill(token));
    expect(problems).not.toEqual([]);
    await pass(1);
    keeper.refused(token);
    expect(await pass(2)).toEqual(['sign_in_refused', 'sign_in_refused']);
    keeper.close();
  });

  it('does not ask again and again for one that is always the same, and says when it is over', async () => {
    const token = tokenOf({ exp: 4 });
    const { keeper, fetchedAt, problems, pass } = staged(async () => token);
    await keeper.current();
    expect(await pass(3)).toEqual([token, token, token]);
    expect(problems).toEqual([]);
    const later = await pass(297, (given) => keeper.refused(given));
    expect(later[0]).toBe(token);
    expect(new Set(later.slice(1))).toEqual(new Set(['sign_in_refused']));
    const pauses = fetchedAt.slice(1).map((at, index) => at - (fetchedAt[index] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(31_000);
    expect(fetchedAt.length).toBeLessThan(30);
    expect(problems.at(-1)).toContain('sign_in_refused: The token was over at 1970-01-01T00:00:04');
    keeper.close();
  });

  it.each([
    { claims: 'that say when they were made', isNamed: true, most: 8 },
    { claims: 'that do not', isNamed: false, most: 20 },
  ])(
    'uses tokens $claims where the clock is ahead by more than they last, as the project takes them',
    async ({ isNamed, most }) => {
      const aheadS = 90;
      const minted: { token: string; realEnd: number }[] = [];
      const { clock, keeper, fetchedAt, pass } = staged(async (jti, now) => {
        const iat = Math.floor(now.now() / 1000) - aheadS;
        const token = tokenOf({ ...(isNamed ? { iat } : {}), exp: iat + 60, jti });
        minted.push({ token, realEnd: now.now() + 60_000 });
        return token;
      });
      const ask = (token: string): void => {
        const isTaken = clock.now() < (minted.find((made) => made.token === token)?.realEnd ?? 0);
        expect(isTaken).toBe(true);
        keeper.accepted(token);
      };
      ask(await keeper.current());
      await pass(240, ask);
      expect(fetchedAt.length).toBeGreaterThan(3);
      expect(fetchedAt.length).toBeLessThanOrEqual(most);
      keeper.close();
    },
  );

  it('asks for another one soon where the project takes one no more, and seldom where it takes none', async () => {
    const { keeper, fetchedAt, pass } = staged(async (jti, now) => fresh(now, 3600, jti));
    const first = await keeper.current();
    await pass(10, (token) => keeper.accepted(token));
    keeper.refused(first);
    const [second] = await pass(1, (token) => keeper.accepted(token));
    expect(second).not.toBe(first);
    const before = fetchedAt.length;
    await pass(120, (token) => keeper.refused(token));
    expect(fetchedAt.length - before).toBeLessThanOrEqual(20);
    keeper.close();
  });

  it('waits ten seconds for a token, and no longer', async () => {
    const { clock, keeper } = staged(() => new Promise(() => {}));
    const refused = expectError(keeper.current(), 'sign_in_refused');
    clock.advance(10_000);
    expect((await refused).message).toContain('gave no token within 10 s');
    keeper.close();
    expect(clock.pending).toBe(0);
  });
});
