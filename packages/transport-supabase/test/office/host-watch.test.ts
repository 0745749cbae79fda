import { SemoError } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { HostWatch, type WatchParts } from '../../src/office/host-watch.ts';

describe('a watch over hosts', () => {
  it('looks at moments of its own, and goes on after a look that failed', async () => {
    const clock = new FakeClock(0);
    const looks: number[] = [];
    const asked: unknown[] = [];
    const problems: string[] = [];
    const forgetting = { looks: 0, stops: 0 };
    const hosts: WatchParts['hosts'] = {
      async sweep(times) {
        looks.push(clock.now());
        asked.push(times);
        if (looks.length === 1) throw new SemoError('host_lost', 'The database is away.');
      },
    };
    const watch = new HostWatch({
      clock,
      hosts,
      everyMs: 1000,
      graceMs: 5,
      forgetting: {
        look: () => void (forgetting.looks += 1),
        stop: async () => void (forgetting.stops += 1),
      },
      onSwept: () => undefined,
      onProblem: ({ code }) => problems.push(code),
    });
    for (let passed = 0; passed < 20_000; passed += 50) {
      clock.advance(50);
      for (let turns = 0; turns < 5; turns += 1) await Promise.resolve();
    }
    const pauses = looks.map((at, index) => at - (looks[index - 1] ?? 0));
    expect(pauses.every((ms) => ms >= 750 && ms <= 1300)).toBe(true);
    expect(new Set(pauses).size).toBeGreaterThan(3);
    expect(asked[0]).toEqual({ graceMs: 5, pauseMs: 500 });
    expect(problems).toEqual(['host_lost']);
    // Not where the database was away.
    expect(forgetting).toEqual({ looks: looks.length - 1, stops: 0 });
    await watch.stop();
    expect(forgetting.stops).toBe(1);
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
  });
});
