import type { SessionLimit, SessionLimits } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { LimitWatch } from '../src/limit-watch.ts';

function watchOf(limits: SessionLimits | undefined) {
  const clock = new FakeClock();
  const reached: SessionLimit[] = [];
  const watch = new LimitWatch({ limits, clock, onReached: (limit) => reached.push(limit) });
  return { clock, reached, watch };
}

describe('the limits of a session', () => {
  it('are none by default', () => {
    const { clock, reached, watch } = watchOf(undefined);
    watch.begin();
    watch.printed(Number.MAX_SAFE_INTEGER);
    for (let turn = 0; turn < 1000; turn += 1) watch.countTurn();
    clock.advance(1e12);
    expect(reached).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('count prompts, but none that was not taken', () => {
    const { watch } = watchOf({ maxTurns: 2 });
    watch.countTurn();
    const countOut = watch.countTurn();
    expect(() => watch.countTurn()).toThrow(/limits\.maxTurns, 2/);
    countOut();
    watch.countTurn();
    expect(() => watch.countTurn()).toThrow(
      expect.objectContaining({ code: 'session_exhausted', class: 'capacity' }) as Error,
    );
  });

  it.each([1, 60_000, 90 * 24 * 3_600_000])('let it live for %i ms from when it was ready', (maxWallMs) => {
    const { clock, reached, watch } = watchOf({ maxWallMs });
    clock.advance(1e6);
    watch.begin();
    clock.advance(maxWallMs - 1);
    expect(reached).toEqual([]);
    clock.advance(1);
    expect(reached).toEqual(['max_wall']);
    expect(watch.reached).toBe('max_wall');
    expect(clock.pending).toBe(0);
  });

  it('wait for nothing once it has ended', () => {
    const { clock, reached, watch } = watchOf({ maxWallMs: 1000 });
    watch.begin();
    watch.close();
    expect(clock.pending).toBe(0);
    clock.advance(2000);
    expect(reached).toEqual([]);
  });

  it('let its agent print as much as was said, and end it once', () => {
    const { clock, reached, watch } = watchOf({ maxOutputTotalBytes: 100, maxWallMs: 1000 });
    watch.begin();
    watch.printed(100);
    expect(reached).toEqual([]);
    watch.printed(101);
    watch.printed(5000);
    clock.advance(1000);
    expect(reached).toEqual(['max_output']);
  });
});
