import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { BatchAllowance } from '../../src/events/batch-allowance.ts';

/** Takes so many, waiting as told; gives when each was sent. */
function sent(count: number, clock: FakeClock, allowance: BatchAllowance): number[] {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    clock.advance(allowance.take());
    times.push(clock.now());
  }
  return times;
}

describe('BatchAllowance', () => {
  it('lets a few go at once, then so many a second', () => {
    const clock = new FakeClock();
    const start = clock.now();
    const times = sent(6, clock, new BatchAllowance(clock, { perSecond: 10, burst: 3 }));
    expect(times.map((at) => at - start)).toEqual([0, 0, 0, 100, 200, 300]);
  });

  it('never lets more go in a second than a burst and a second’s worth', () => {
    const clock = new FakeClock();
    const times = sent(50, clock, new BatchAllowance(clock, { perSecond: 8, burst: 4 }));
    for (const from of times)
      expect(times.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(12);
  });

  it('lets a few go at once again after a while, however long that was', () => {
    const clock = new FakeClock();
    const allowance = new BatchAllowance(clock, { perSecond: 10, burst: 2 });
    sent(5, clock, allowance);
    clock.advance(60_000);
    const start = clock.now();
    expect(sent(3, clock, allowance).map((at) => at - start)).toEqual([0, 0, 100]);
  });
});
