import { describe, expect, it } from 'vitest';

import { nextTickMs, planChannel, type ChannelEvent, type ChannelState } from '../../src/realtime/channel-plan.ts';

const limits = { joinWithinMs: 20_000, silentForMs: 20_000, maxRejoins: 2 };
const joining: ChannelState = { kind: 'joining', since: 0 };
const joined: ChannelState = { kind: 'joined', heardAt: 0, rejoins: 0 };
const erring: ChannelState = { kind: 'erring', since: 0, rejoins: 0 };
const said = (status: 'SUBSCRIBED' | 'CHANNEL_ERROR' | 'TIMED_OUT' | 'CLOSED'): ChannelEvent => ({
  kind: 'status',
  status,
});
const tick: ChannelEvent = { kind: 'tick' };
const nothing = { kind: 'nothing' };

describe('planChannel', () => {
  it.each<[string, ChannelState, ChannelEvent, number, ChannelState, object]>([
    [
      'a join: catch up',
      joining,
      said('SUBSCRIBED'),
      5,
      { kind: 'joined', heardAt: 5, rejoins: 0 },
      { kind: 'catch_up' },
    ],
    [
      'a join again: catch up',
      erring,
      said('SUBSCRIBED'),
      5,
      { kind: 'joined', heardAt: 5, rejoins: 1 },
      { kind: 'catch_up' },
    ],
    [
      'an error: its client joins again',
      joined,
      said('CHANNEL_ERROR'),
      5,
      { kind: 'erring', since: 5, rejoins: 0 },
      nothing,
    ],
    [
      'a time-out: its client joins again',
      joined,
      said('TIMED_OUT'),
      5,
      { kind: 'erring', since: 5, rejoins: 0 },
      nothing,
    ],
    ['errors in a row count from the first', erring, said('CHANNEL_ERROR'), 9, erring, nothing],
    ['refused from the start: the same', joining, said('CHANNEL_ERROR'), 9, joining, nothing],
    ['closed by the server: another one', joined, said('CLOSED'), 5, joined, { kind: 'renew', why: 'closed' }],
    ['a heartbeat', joined, { kind: 'heartbeat' }, 9, { kind: 'joined', heardAt: 9, rejoins: 0 }, nothing],
    ['still joining', joining, tick, 19_999, joining, nothing],
    ['joining for too long', joining, tick, 20_000, joining, { kind: 'renew', why: 'stuck' }],
    ['erring for too long', erring, tick, 20_000, erring, { kind: 'renew', why: 'stuck' }],
    ['silent for too long', joined, tick, 20_000, joined, { kind: 'renew', why: 'silent' }],
  ])('%s', (...row) => {
    const [, state, event, now, next, step] = row;
    expect(planChannel(state, event, { now, limits })).toEqual({ state: next, step });
  });

  it('gives up a client that has joined again too often, since it leaks listeners', () => {
    const { step } = planChannel({ ...erring, rejoins: 2 }, said('SUBSCRIBED'), { now: 5, limits });
    expect(step).toEqual({ kind: 'renew', why: 'worn' });
  });

  it('expects no heartbeats where they cannot be heard', () => {
    const deaf = { ...limits, silentForMs: null };
    expect(planChannel(joined, tick, { now: 1e9, limits: deaf }).step).toEqual(nothing);
  });

  it('looks again when something is due', () => {
    expect(nextTickMs(joining, { now: 5000, limits })).toBe(15_000);
    expect(nextTickMs(joined, { now: 30_000, limits })).toBe(10);
  });
});
