import { describe, expect, it } from 'vitest';

import { planPool } from '../../src/pool/pool-plan.ts';
import type { PooledState, PoolStep, PoolView, SessionView, WaiterView } from '../../src/pool/pool-view.ts';

const NOW = 1_000_000;

const idle = (forMs = 0): PooledState => ({ kind: 'idle', since: NOW - forMs });
const BUSY: PooledState = { kind: 'in_use' };
const ENDING: PooledState = { kind: 'ending' };
const openingFor = (waiterId: number | null): PooledState => ({ kind: 'opening', waiterId });

function session(sessionId: string, state: PooledState, more: Partial<SessionView> = {}): SessionView {
  return {
    sessionId,
    key: 'A',
    origin: 'cold',
    place: 'here',
    retired: false,
    leftover: false,
    unfitAt: null,
    state,
    ...more,
  };
}

const warm = (sessionId: string, state: PooledState, more: Partial<SessionView> = {}): SessionView =>
  session(sessionId, state, { origin: 'warm', ...more });

const waiter = (waiterId: number, more: Partial<WaiterView> = {}): WaiterView => ({
  waiterId,
  key: 'A',
  priority: 0,
  place: 'here',
  coldOnly: false,
  notBefore: 0,
  ...more,
});

const targetOf = (count: number, retryAt = 0, key = 'A') => ({ key, count, place: 'here', retryAt });

function plan(view: Partial<PoolView>): { steps: readonly PoolStep[]; wakeIn: number | null } {
  const { steps, wakeAt } = planPool({
    now: NOW,
    max: 3,
    maxOpening: 9,
    strategy: 'hybrid',
    reuse: 'clear',
    idleCloseMs: 600_000,
    keepsWarm: true,
    targets: [],
    sessions: [],
    waiters: [],
    ...view,
  });
  return { steps, wakeIn: wakeAt === null ? null : wakeAt - NOW };
}

/** The steps as words: `give s1 to 1`, `cold for 1`, `warm A`, `close s1: idle`. */
function words(view: Partial<PoolView>): string[] {
  return plan(view).steps.map((step) => {
    if (step.kind === 'hand_out') return `give ${step.sessionId} to ${step.waiterId}`;
    if (step.kind === 'open_cold') return `cold for ${step.waiterId}`;
    return step.kind === 'open_warm' ? `warm ${step.key}` : `close ${step.sessionId}: ${step.reason}`;
  });
}

describe('who waits', () => {
  it('is served by priority, then in the order of coming', () => {
    const waiters = [waiter(1), waiter(2, { priority: 5 }), waiter(3, { priority: 5 }), waiter(4)];
    expect(words({ max: 3, waiters })).toEqual(['cold for 2', 'cold for 3', 'cold for 1']);
  });

  it('waits where enough are being opened; targets come after', () => {
    const sessions = [session('o', openingFor(9)), session('b', BUSY)];
    const view = { max: 9, maxOpening: 3, sessions, targets: [targetOf(4, 0, 'B')] };
    expect(words({ ...view, waiters: [waiter(1), waiter(2), waiter(3)] })).toEqual(['cold for 1', 'cold for 2']);
    expect(words({ ...view, waiters: [waiter(1)] })).toEqual(['cold for 1', 'warm B']);
    // What it will need is taken by no target.
    expect(words({ ...view, max: 3, maxOpening: 1, waiters: [waiter(1)] })).toEqual([]);
    expect(words({ ...view, max: 3, waiters: [waiter(1, { notBefore: NOW + 1 })] })).toEqual([]);
  });

  it('is given a warm session before a cold one, and the one used last', () => {
    const sessions = [session('c', idle(1)), warm('w1', idle(50)), warm('w2', idle(5)), warm('w3', idle(20))];
    const targets = [targetOf(3)];
    const waiters = [1, 2, 3, 4].map((id) => waiter(id));
    expect(words({ max: 4, sessions, targets, waiters })).toEqual([
      'give w2 to 1',
      'give w3 to 2',
      'give w1 to 3',
      'give c to 4',
    ]);
  });

  it('is given no session of another key, in another place, or if it must be its own', () => {
    const sessions = [session('s', idle())];
    const waiters = [waiter(1, { key: 'B' }), waiter(2, { place: 'there' }), waiter(3, { coldOnly: true })];
    expect(words({ max: 9, sessions, waiters })).toEqual(['cold for 1', 'cold for 2', 'cold for 3']);
    expect(words({ max: 9, sessions, waiters: [waiter(4, { place: null })] })).toEqual(['give s to 4']);
  });

  it('counts on what is on its way to nobody, instead of opening another', () => {
    const sessions = [warm('w', openingFor(null)), session('r', { kind: 'readying' }), session('o', openingFor(9))];
    expect(words({ max: 9, sessions, targets: [targetOf(1)], waiters: [1, 2, 3].map((id) => waiter(id)) })).toEqual([
      'cold for 3',
    ]);
  });

  it('takes over an opening whose waiter has left; one that nobody wants is given up', () => {
    const sessions = [session('o', openingFor(null), { leftover: true })];
    expect(words({ max: 1, sessions, waiters: [waiter(1)] })).toEqual([]);
    expect(words({ max: 1, sessions, waiters: [waiter(1, { key: 'B' })] })).toEqual(['close o: abandoned']);
  });

  it('waits for room that is coming, and closes no more than it needs', () => {
    const sessions = [
      session('e', ENDING, { key: 'C' }),
      session('i1', idle(9), { key: 'C' }),
      session('i2', idle(20)),
    ];
    const waiters = [waiter(1, { key: 'B' }), waiter(2, { key: 'B' })];
    expect(words({ sessions, waiters })).toEqual(['close i2: room']);
  });

  it('keeps its room while it must wait for a moment', () => {
    const later = waiter(1, { notBefore: NOW + 500, priority: 1 });
    expect(plan({ max: 1, waiters: [later, waiter(2)], targets: [targetOf(1)] })).toEqual({ steps: [], wakeIn: 500 });
    expect(words({ max: 2, waiters: [later, waiter(2)], targets: [targetOf(1)] })).toEqual(['cold for 2']);
  });
});

describe('an idle warm session of another key', () => {
  const other = [waiter(1, { key: 'B' })];
  const targets = [targetOf(2)];

  it('is closed for room only if nothing gives room by itself', () => {
    const both = [warm('w1', idle(5)), warm('w2', idle(9))];
    expect(words({ max: 2, sessions: both, targets, waiters: other })).toEqual(['close w2: room']);
    const oneBusy = [warm('w1', idle(5)), warm('w2', BUSY)];
    expect(words({ max: 2, reuse: 'recycle', sessions: oneBusy, targets, waiters: other })).toEqual([]);
  });

  it('is closed though another is busy, where those that are given back stay warm', () => {
    const oneBusy = [warm('w1', idle(5)), warm('w2', BUSY)];
    expect(words({ max: 2, sessions: oneBusy, targets, waiters: other })).toEqual(['close w1: room']);
    const withCold = [...oneBusy, session('c', BUSY)];
    expect(words({ max: 3, sessions: withCold, targets, waiters: other })).toEqual([]);
  });

  it('is not closed when a session that is handed out now will give its room back', () => {
    const both = [warm('w1', idle(5)), warm('w2', idle(9))];
    const waiters = [waiter(1), waiter(2, { key: 'B' })];
    expect(words({ max: 2, reuse: 'recycle', sessions: both, targets, waiters })).toEqual(['give w1 to 1']);
  });
});

describe('targets', () => {
  it('are refilled with the room that nobody waits for', () => {
    const sessions = [warm('w', BUSY), session('c', BUSY, { key: 'C' })];
    expect(words({ max: 4, sessions, targets: [targetOf(3)] })).toEqual(['warm A', 'warm A']);
    expect(words({ max: 3, sessions, targets: [targetOf(3)], waiters: [waiter(1, { key: 'B' })] })).toEqual([
      'cold for 1',
    ]);
    expect(words({ max: 4, sessions, targets: [targetOf(3)], keepsWarm: false })).toEqual([]);
    expect(words({ max: 4, sessions, targets: [targetOf(3)], strategy: 'on-demand' })).toEqual([]);
  });

  it('given twice are added up', () => {
    expect(words({ targets: [targetOf(1), targetOf(1)] })).toEqual(['warm A', 'warm A']);
  });

  it('that failed are left alone until their time', () => {
    expect(plan({ targets: [targetOf(1, NOW + 700)] })).toEqual({ steps: [], wakeIn: 700 });
  });

  it('that shrank or are gone let go of what is idle or being opened', () => {
    const sessions = [warm('w1', idle(5)), warm('w2', idle(9)), warm('w3', openingFor(null)), warm('b', BUSY)];
    expect(words({ max: 9, sessions, targets: [targetOf(2)] })).toEqual(['close w3: surplus', 'close w2: surplus']);
    expect(words({ max: 9, sessions, targets: [] })).toHaveLength(3);
  });

  it('alone serve their keys with `warm`; without one it is as ever', () => {
    const view = { strategy: 'warm' as const, max: 9, sessions: [warm('w', BUSY)], waiters: [waiter(1)] };
    expect(words({ ...view, targets: [targetOf(1)] })).toEqual([]);
    expect(words({ ...view, targets: [targetOf(2)], keepsWarm: false })).toEqual(['warm A']);
    expect(plan({ ...view, targets: [targetOf(2, NOW + 50)] })).toEqual({ steps: [], wakeIn: 50 });
    expect(words({ ...view, targets: [] })).toEqual(['cold for 1']);
    const own = [waiter(1, { coldOnly: true })];
    expect(words({ ...view, targets: [targetOf(1)], waiters: own })).toEqual(['cold for 1']);
    const cold = [warm('w', BUSY), session('c', idle())];
    expect(words({ ...view, sessions: cold, targets: [targetOf(1)] })).toEqual([]);
  });
});

describe('what is closed', () => {
  it('is what is out of service, and what loses its credential', () => {
    const sessions = [
      session('r', idle(), { retired: true }),
      warm('o', openingFor(null), { retired: true }),
      warm('x', idle(), { unfitAt: NOW }),
      warm('y', idle(), { unfitAt: NOW + 300 }),
      session('b', BUSY, { retired: true }),
      session('p', openingFor(7), { retired: true }),
    ];
    expect(words({ max: 9, sessions, targets: [targetOf(2)], waiters: [waiter(1)] })).toEqual([
      'close r: retired',
      'close x: credential',
      'close o: retired',
      'give y to 1',
      'warm A',
    ]);
    expect(plan({ sessions: sessions.slice(3, 4), targets: [targetOf(1)] }).wakeIn).toBe(300);
  });

  it('is a cold session that was idle too long, never a warm one nor one in use', () => {
    const sessions = [session('old', idle(600_000)), session('new', idle(1000)), session('b', BUSY)];
    const kept = warm('w', idle(9_000_000));
    expect(plan({ max: 9, sessions: [...sessions, kept], targets: [targetOf(1)] })).toEqual({
      steps: [{ kind: 'close', sessionId: 'old', reason: 'idle' }],
      wakeIn: 599_000,
    });
  });

  it('is, where nothing is used twice, what was made for somebody who has left', () => {
    const sessions = [session('c', idle()), warm('w', idle(), { leftover: true }), warm('v', idle())];
    const targets = [targetOf(2)];
    expect(words({ reuse: 'recycle', sessions, targets })).toEqual(['close c: abandoned', 'close w: abandoned']);
    expect(words({ reuse: 'recycle', sessions, targets, waiters: [waiter(1), waiter(2)] })).toEqual([
      'give w to 1',
      'give v to 2',
      'close c: abandoned',
    ]);
  });

  it('is what is beyond a lowered limit, cold ones first', () => {
    const sessions = [warm('w', idle(9)), session('c', idle()), session('b', BUSY), session('e', ENDING)];
    expect(words({ max: 2, sessions, targets: [targetOf(1)] })).toEqual(['close c: room']);
    expect(words({ max: 1, sessions, targets: [targetOf(1)] })).toEqual(['close c: room', 'close w: room']);
  });
});
