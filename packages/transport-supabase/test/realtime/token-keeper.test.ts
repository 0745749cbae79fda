import { FakeClock, expectError } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { TokenKeeper, expiryOf, refreshTime } from '../../src/realtime/token-keeper.ts';

const tokenUntil = (expiresAt: number): string =>
  `head.${Buffer.from(JSON.stringify({ exp: expiresAt / 1000 })).toString('base64url')}.signature`;

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('TokenKeeper', () => {
  it('knows when a token is over, and replaces it before', () => {
    expect(expiryOf(tokenUntil(5_000_000))).toBe(5_000_000);
    expect(expiryOf('no token at all')).toBe(Number.POSITIVE_INFINITY);
    expect(refreshTime(3_600_000, 0)).toBe(3_540_000);
    expect(refreshTime(9000, 0)).toBe(6000);
  });

  it('fetches once for all who ask, and again by itself in time', async () => {
    const clock = new FakeClock(0);
    let fetched = 0;
    let fresh = 0;
    const keeper = new TokenKeeper({
      clock,
      fetchToken: async () => {
        fetched += 1;
        return tokenUntil(clock.now() + 3_600_000);
      },
      onFresh: () => (fresh += 1),
      onProblem: () => {},
    });
    const [one, other] = await Promise.all([keeper.current(), keeper.current()]);
    expect(other).toBe(one);
    expect(fetched).toBe(1);
    clock.advance(3_539_999);
    expect(await keeper.current()).toBe(one);
    clock.advance(1);
    await settled();
    expect([fetched, fresh]).toEqual([2, 1]);
    expect(await keeper.current()).not.toBe(one);
    keeper.close();
    expect(clock.pending).toBe(0);
  });

  it('tells nothing of what was thrown, and tries again', async () => {
    const clock = new FakeClock(0);
    const problems: string[] = [];
    let isDown = true;
    const keeper = new TokenKeeper({
      clock,
      fetchToken: async () => {
        if (isDown) throw new Error('Bearer secret-token was refused');
        return tokenUntil(clock.now() + 3_600_000);
      },
      onFresh: () => {},
      onProblem: ({ message }) => problems.push(message),
    });
    const error = await expectError(keeper.current(), 'sign_in_refused');
    expect(JSON.stringify([error.message, problems])).not.toContain('secret-token');
    isDown = false;
    clock.advance(2000);
    await settled();
    expect(expiryOf(await keeper.current())).toBeGreaterThan(3_600_000);
    keeper.close();
  });
});
