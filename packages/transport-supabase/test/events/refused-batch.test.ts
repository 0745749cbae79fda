import { SemoError, type ErrorCode, type WireEvent } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import type { EventBatch } from '../../src/events/event-repository.ts';
import { SessionRealtimeEvents } from '../../src/events/session-realtime-events.ts';

/** It is never too late. */
const NEVER = new AbortController().signal;

/** What a host sends to a database that refuses as told. */
function sending(refuse: (batch: EventBatch) => ErrorCode | null) {
  const clock = new FakeClock();
  const taken: EventBatch[] = [];
  const problems: string[] = [];
  const events = new SessionRealtimeEvents({
    clock,
    maxOutputBytes: 1024,
    maxBatchBytes: 4096,
    registration: { fence: { hostId: 'h1', epoch: 1 }, registerAgain: async () => undefined },
    events: {
      async publish(_fence, batch) {
        const code = refuse(batch);
        if (code !== null) throw new SemoError(code, 'Refused.');
        taken.push(batch);
      },
    },
    infoOf: async () => null,
    times: { eventMs: 1, outputMs: 1 },
    rate: { perSecond: 1000, burst: 1000 },
    onProblem: ({ code }) => problems.push(code),
  });
  const pass = async (): Promise<void> => {
    for (let step = 0; step < 20; step += 1) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { events, taken, problems, pass };
}

const exit = (sessionId: string): WireEvent => ({
  name: 'exit',
  sessionId,
  code: 0,
  signal: null,
  at: 1,
});
const idsOf = (batches: readonly EventBatch[]) =>
  batches.map(({ seq, events }) => [seq, ...events.map((event) => ('sessionId' in event ? event.sessionId : ''))]);

describe('a batch that the database refuses', () => {
  it('for one event holds up no other', async () => {
    const { events, taken, problems, pass } = sending((batch) =>
      batch.events.some((event) => 'sessionId' in event && event.sessionId === 'bad') ? 'internal' : null,
    );
    for (const sessionId of ['a', 'bad', 'b']) events.publish(exit(sessionId));
    await pass();
    events.publish(exit('c'));
    await pass();
    // Numbered without a gap: readers would take one for a loss.
    expect(idsOf(taken)).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
    expect(problems).toEqual(['internal', 'internal']);
    await events.stop(NEVER);
  });

  it('since it refuses everybody at the moment is sent again', async () => {
    let refusals = 3;
    const { events, taken, problems, pass } = sending(() => ((refusals -= 1) >= 0 ? 'sign_in_refused' : null));
    events.publish(exit('a'));
    await pass();
    expect(idsOf(taken)).toEqual([[1, 'a']]);
    expect(problems).toHaveLength(3);
    await events.stop(NEVER);
  });
});
