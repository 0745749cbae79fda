import { SemoError } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { backoffMs, pollWaitMs } from '../../src/waking/poll-pace.ts';
import { WakeLoop } from '../../src/waking/wake-loop.ts';

const pace = { fastMs: 100, slowMs: 2000, liveMs: 5000 };

describe('pollWaitMs', () => {
  it('waits twice as long with each look that finds nothing, up to a limit', () => {
    const waits = [0, 1, 2, 3, 4, 5, 60].map((idleLooks) => pollWaitMs(pace, { live: false, idleLooks }));
    expect(waits).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  });

  it('leaves it to announcements while they come', () => {
    expect(pollWaitMs(pace, { live: true, idleLooks: 0 })).toBe(5000);
  });
});

describe('backoffMs', () => {
  it('doubles up to a limit, with up to as much again by chance', () => {
    const limits = { firstMs: 100, longestMs: 1000 };
    expect([0, 1, 2, 9].map((failures) => backoffMs(limits, { failures, chance: 0 }))).toEqual([100, 200, 400, 1000]);
    expect(backoffMs(limits, { failures: 0, chance: 0.5 })).toBe(150);
  });
});

/** A loop whose looks end when told to. */
function stage() {
  const clock = new FakeClock();
  const looks: { resolve: (found: boolean) => void; reject: (error: SemoError) => void }[] = [];
  const failures: number[] = [];
  let recoveries = 0;
  const loop = new WakeLoop({
    clock,
    look: () => new Promise((resolve, reject) => looks.push({ resolve, reject })),
    waitMs: (idleLooks) => pollWaitMs(pace, { live: false, idleLooks }),
    onFailure: (_error, count) => failures.push(count),
    onRecovery: () => (recoveries += 1),
  });
  /** Ends the present look. */
  const end = async (found: boolean): Promise<void> => {
    looks.at(-1)?.resolve(found);
    await settled();
  };
  const fail = async (): Promise<void> => {
    looks.at(-1)?.reject(new SemoError('host_lost', 'Gone.'));
    await settled();
  };
  return { clock, loop, looks, failures, end, fail, recoveries: () => recoveries };
}

/** Lets what is due now happen. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('WakeLoop', () => {
  it('looks once for all who wake it while it looks', async () => {
    const { loop, looks, end } = stage();
    loop.wake();
    loop.wake();
    loop.wake();
    expect(looks).toHaveLength(1);
    await end(true);
    expect(looks).toHaveLength(2);
    await end(true);
    expect(looks).toHaveLength(2);
  });

  it('looks by itself, ever more rarely while there is nothing', async () => {
    const { clock, loop, looks, end } = stage();
    loop.wake();
    await end(true);
    clock.advance(99);
    expect(looks).toHaveLength(1);
    clock.advance(1);
    expect(looks).toHaveLength(2);
    await end(false);
    clock.advance(199);
    expect(looks).toHaveLength(2);
    clock.advance(1);
    expect(looks).toHaveLength(3);
  });

  it('looks again soon for what was announced and cannot be seen yet', async () => {
    const { clock, loop, looks, end } = stage();
    loop.announced();
    await end(false);
    clock.advance(20);
    expect(looks).toHaveLength(2);
    await end(true);
    clock.advance(99);
    expect(looks).toHaveLength(2);
    clock.advance(1);
    expect(looks).toHaveLength(3);
  });

  it('goes on after looks that failed, and says when it is over', async () => {
    const { clock, loop, looks, failures, end, fail, recoveries } = stage();
    loop.wake();
    await fail();
    clock.advance(20_000);
    await fail();
    expect(failures).toEqual([1, 2]);
    clock.advance(20_000);
    await end(false);
    expect(looks).toHaveLength(3);
    expect(recoveries()).toBe(1);
  });

  it('looks no more once it is stopped', async () => {
    const { clock, loop, looks, end } = stage();
    loop.wake();
    const stopped = loop.stop();
    await end(true);
    await stopped;
    loop.wake();
    clock.advance(60_000);
    expect(looks).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
