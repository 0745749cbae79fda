import type { WireEvent } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { EventFeed, type FeedParts } from '../../src/events/event-feed.ts';
import type { BatchRow, EventMark } from '../../src/events/event-repository.ts';

const exit = (at: number): WireEvent => ({ name: 'exit', sessionId: 'ses_1', code: 0, signal: null, at });

/** A journal of one host, which gives two batches at a time. */
function journal(batches: number) {
  const asked: number[] = [];
  const rows = Array.from({ length: batches }, (_, index): Omit<BatchRow, 'more'> => {
    const seq = index + 1;
    return { host_id: 'h1', epoch: 1, seq, events: [exit(seq)], dropped_bytes: 0 };
  });
  return {
    asked,
    heads: async () => new Map<string, EventMark>(),
    async read(marks: ReadonlyMap<string, EventMark>): Promise<BatchRow[]> {
      const after = marks.get('h1')?.seq ?? 0;
      asked.push(after);
      const more = rows.length > after + 2;
      return rows.slice(after, after + 2).map((row) => ({ ...row, more }));
    },
    known: async (hostIds: readonly string[]) => new Set(hostIds),
  };
}

function feedOf(events: FeedParts['events'], clock = new FakeClock()) {
  const heard: number[] = [];
  const gaps: string[] = [];
  const feed = new EventFeed({
    clock,
    events,
    isLive: () => true,
    pace: { fastMs: 100, slowMs: 2000, liveMs: 30_000 },
    onEvent: ({ at }) => heard.push(at),
    onGap: (hostId) => gaps.push(hostId),
    onProblem: (problem) => {
      throw problem;
    },
    onFailure: (error) => {
      throw error;
    },
    onRecovery: () => undefined,
  });
  return { feed, heard, gaps };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an event feed', () => {
  it('goes on at once while there is more, and waits when there is none', async () => {
    const events = journal(5);
    const { feed, heard, gaps } = feedOf(events);
    feed.wake();
    // No time passes.
    await settled();
    expect(heard).toEqual([1, 2, 3, 4, 5]);
    expect(events.asked).toEqual([0, 2, 4]);
    expect(gaps).toEqual([]);
    await feed.stop();
  });

  it('keeps in mind where it is with a host that is there, and not for long one that is forgotten', async () => {
    const clock = new FakeClock();
    const batchOf = (host: number, seq: number): BatchRow => {
      return { host_id: `h${host}`, epoch: 1, seq, events: [exit(seq)], dropped_bytes: 0, more: false };
    };
    let untold = Array.from({ length: 150 }, (_, host) => batchOf(host, 1));
    let known = (hostIds: readonly string[]) => new Set(hostIds);
    let asked = 0;
    const { feed, heard, gaps } = feedOf(
      {
        heads: async () => new Map<string, EventMark>(),
        known: async (hostIds) => known(hostIds),
        async read(marks) {
          asked = marks.size;
          return untold.splice(0);
        },
      },
      clock,
    );
    feed.wake();
    await settled();
    known = () => new Set(['h0']);
    for (const [ms, size] of [
      [0, 150],
      [599_999, 150],
      [1, 150],
      [0, 1],
    ] as const) {
      clock.advance(ms);
      feed.wake();
      await settled();
      expect(asked).toBe(size);
    }
    untold = [batchOf(0, 2), { ...batchOf(1, 1), epoch: 2 }];
    feed.wake();
    await settled();
    expect({ heard: heard.length, gaps }).toEqual({ heard: 152, gaps: [] });
    await feed.stop();
  });
});
