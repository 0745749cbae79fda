import type { WireEvent } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { expect, it } from 'vitest';

import type { EventBatch } from '../../src/events/event-repository.ts';
import { SessionRealtimeEvents } from '../../src/events/session-realtime-events.ts';

/** It is never too late. */
const NEVER = new AbortController().signal;

const RATE = { perSecond: 5, burst: 2 };

/** A host that tells its events; what reached the database, and when. */
function telling() {
  const clock = new FakeClock();
  const taken: { at: number; batch: EventBatch }[] = [];
  const events = new SessionRealtimeEvents({
    clock,
    maxOutputBytes: 1024 * 1024,
    maxBatchBytes: 64 * 1024,
    registration: { fence: { hostId: 'h1', epoch: 1 }, registerAgain: async () => undefined },
    events: {
      async publish(_fence, batch) {
        taken.push({ at: clock.now(), batch });
      },
    },
    infoOf: async () => null,
    times: { eventMs: 20, outputMs: 250 },
    rate: RATE,
    onProblem: () => undefined,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, events, taken, settle };
}

const exit = (place: number): WireEvent => ({ name: 'exit', sessionId: `s${place}`, code: 0, signal: null, at: place });

it('tells a busy host’s events in so many batches a second, in order, and none is left out', async () => {
  const { clock, events, taken, settle } = telling();
  const start = clock.now();
  // A hundred events a second, for two seconds.
  for (let place = 0; place < 200; place += 1) {
    events.publish(exit(place));
    clock.advance(10);
    await settle();
  }
  expect(taken.length).toBeGreaterThan(8);
  expect(taken.length).toBeLessThanOrEqual(RATE.burst + 2 * RATE.perSecond);
  expect(taken[0]?.at).toBe(start + 20);
  await events.stop(NEVER);
  const told = taken.flatMap(({ batch }) => batch.events.map((event) => event.at));
  expect(told).toEqual(Array.from({ length: 200 }, (_, place) => place));
  expect(taken.map(({ batch }) => batch.seq)).toEqual(taken.map((_, index) => index + 1));
});

it('waits for its turn no longer when the host ends', async () => {
  const { clock, events, taken, settle } = telling();
  for (let place = 0; place < 5; place += 1) {
    events.publish(exit(place));
    clock.advance(30);
    await settle();
  }
  const before = taken.length;
  expect(before).toBeLessThan(5);
  await events.stop(NEVER);
  expect(taken.flatMap(({ batch }) => batch.events)).toHaveLength(5);
});
