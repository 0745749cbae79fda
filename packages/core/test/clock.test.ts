import { describe, expect, it } from 'vitest';

import { systemClock } from '../src/index.ts';

describe('systemClock', () => {
  it('tells the time of the machine', () => {
    const before = Date.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  });

  it('calls once, in order of time, unless taken back', async () => {
    const called: string[] = [];
    const cancel = systemClock.schedule(1, () => called.push('never'));
    cancel();
    cancel();
    await new Promise<void>((resolve) => {
      systemClock.schedule(5, () => {
        called.push('late');
        resolve();
      });
      systemClock.schedule(0, () => called.push('soon'));
    });
    expect(called).toEqual(['soon', 'late']);
  });

  it('waits for longer than a timer of the machine can', async () => {
    const called: string[] = [];
    const cancel = systemClock.schedule(2 ** 31 + 10, () => called.push('at once'));
    await new Promise<void>((resolve) => {
      systemClock.schedule(20, resolve);
    });
    cancel();
    expect(called).toEqual([]);
  });
});
