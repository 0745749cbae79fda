import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../testing/index.ts';

describe('FakeClock', () => {
  it('runs what falls due in order, each at its own moment', () => {
    const clock = new FakeClock(0);
    const ran: [string, number][] = [];
    const note = (name: string) => (): void => void ran.push([name, clock.now()]);
    clock.schedule(20, note('late'));
    clock.schedule(10, note('a'));
    clock.schedule(10, note('b'));
    clock.schedule(5, () => clock.schedule(1, note('nested')));
    const cancel = clock.schedule(7, note('never'));
    cancel();
    clock.advance(15);
    expect(ran).toEqual([
      ['nested', 6],
      ['a', 10],
      ['b', 10],
    ]);
    expect(clock.now()).toBe(15);
    expect(clock.pending).toBe(1);
    clock.advance(5);
    expect(ran.at(-1)).toEqual(['late', 20]);
  });
});
