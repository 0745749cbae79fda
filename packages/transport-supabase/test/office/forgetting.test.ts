import { SemoError } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { Forgetting, type ForgettingOrder } from '../../src/office/forgetting.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/** Forgets as much as is told, portion by portion; `null`: the database is away. */
function forgettingOf(portions: (number | null)[]) {
  const clock = new FakeClock(0);
  const orders: ForgettingOrder[] = [];
  const problems: string[] = [];
  const forgetting = new Forgetting({
    clock,
    keepMs: WEEK_MS,
    onProblem: ({ code }) => problems.push(code),
    async forget(order) {
      orders.push(order);
      const portion = portions.shift();
      if (portion === null) throw new SemoError('host_lost', 'The database is away.');
      return portion ?? 0;
    },
  });
  const pauses = () => orders.map(({ pauseMs }) => pauseMs);
  const look = async () => {
    forgetting.look();
    for (let turns = 0; turns < 50; turns += 1) await Promise.resolve();
  };
  return { clock, orders, problems, forgetting, pauses, look };
}

describe('forgetting', () => {
  it('is begun once an hour, by whoever is first, and goes on while there may be more', async () => {
    const { clock, orders, pauses, look } = forgettingOf([1000, 1200, 999]);
    await look();
    expect(orders[0]).toEqual({ olderThanMs: WEEK_MS, limit: 1000, pauseMs: 0.9 * HOUR_MS });
    expect(pauses()).toEqual([0.9 * HOUR_MS, 0, 0]);
    clock.advance(HOUR_MS - 1);
    await look();
    expect(orders).toHaveLength(3);
    clock.advance(1);
    await look();
    expect(pauses().slice(3)).toEqual([0.9 * HOUR_MS]);
  });

  it('that failed is told, and tried again the next time', async () => {
    const { clock, orders, problems, look } = forgettingOf([null]);
    await look();
    await look();
    expect([orders.length, problems]).toEqual([1, ['host_lost']]);
    clock.advance(HOUR_MS);
    await look();
    expect([orders.length, problems]).toEqual([2, ['host_lost']]);
  });

  it('ends with the portion that is under way', async () => {
    const { clock, orders, forgetting, look } = forgettingOf([1000, 1000]);
    forgetting.look();
    await forgetting.stop();
    expect(orders.length).toBeLessThan(2);
    clock.advance(HOUR_MS);
    const asked = orders.length;
    await look();
    expect(orders).toHaveLength(asked);
  });
});
