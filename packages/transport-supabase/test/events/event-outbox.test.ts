import { base64ToBytes, type TurnChange, type TurnInfo, type WireEvent } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { batchOrder } from '../../src/events/event-feed.ts';
import { EventOutbox } from '../../src/events/event-outbox.ts';

const output = (offset: number, text: string, sessionId = 's1'): WireEvent => ({
  name: 'output',
  sessionId,
  offset,
  base64: Buffer.from(text).toString('base64'),
  at: offset,
});
const status = (sessionId = 's1'): WireEvent => ({ name: 'status', sessionId, status: 'ready', at: 1 });
const limits = { maxOutputBytes: 64, maxBatchBytes: 40 };
const texts = (events: readonly WireEvent[]): unknown[] =>
  events.map((event) =>
    event.name === 'output' ? [event.offset, Buffer.from(base64ToBytes(event.base64)).toString()] : event.name,
  );

describe('EventOutbox', () => {
  it('joins pieces of output that follow each other, across nothing else', () => {
    const outbox = new EventOutbox({ ...limits, maxBatchBytes: 1000 });
    for (const event of [output(0, 'ab'), output(2, 'cd'), status(), output(4, 'ef'), output(0, 'x', 's2')])
      outbox.add(event);
    const { events } = outbox.take();
    expect(texts(events)).toEqual([[0, 'abcd'], 'status', [4, 'ef'], [0, 'x']]);
    expect(outbox.isEmpty).toBe(true);
  });

  it('leaves out output where there is too much, marked by its offset, and nothing else', () => {
    const outbox = new EventOutbox({ ...limits, maxBatchBytes: 1000 });
    outbox.add(output(0, 'a'.repeat(45)));
    outbox.add(output(45, 'b'.repeat(30)));
    outbox.add(status());
    const first = outbox.take();
    expect(texts(first.events)).toEqual([[0, 'a'.repeat(45)], 'status']);
    expect(first.droppedBytes).toBe(30);
    outbox.add(output(75, 'c'));
    const second = outbox.take();
    expect(texts(second.events)).toEqual([[75, 'c']]);
    expect(second.droppedBytes).toBe(0);
  });

  it('goes out in pieces of a size, at least one event at a time', () => {
    const outbox = new EventOutbox({ maxOutputBytes: 10_000, maxBatchBytes: 100 });
    for (let at = 0; at < 4; at += 1) outbox.add(status(`s${at}`));
    const sizes: number[] = [];
    while (!outbox.isEmpty) sizes.push(outbox.take().events.length);
    expect(sizes).toEqual([1, 1, 1, 1]);
  });

  it('is in a hurry for what somebody waits for, not for output', () => {
    const outbox = new EventOutbox(limits);
    outbox.add(output(0, 'a'));
    expect(outbox.isUrgent).toBe(false);
    outbox.add(status());
    expect(outbox.isUrgent).toBe(true);
  });

  it('keeps the latest figures of each turn only, and all that happened to it', () => {
    const outbox = new EventOutbox({ ...limits, maxBatchBytes: 1_000_000 });
    const tell = (change: TurnChange, percent: number, turnId = 't1') => {
      const turn = { turnId, sessionId: 's1', percent } as TurnInfo;
      outbox.add({ name: 'turn', sessionId: 's1', change, turn, at: percent });
    };
    tell('started', 0);
    for (let percent = 1; percent <= 1000; percent += 1) tell('progress', percent);
    tell('progress', 7, 't2');
    for (const change of ['waiting', 'resumed', 'waiting', 'resumed'] as const) tell(change, 1000);
    tell('progress', 1001);
    tell('ended', 1001);
    for (const percent of [1, 2]) tell('usage', percent);
    const told = outbox
      .take()
      .events.map((event) => (event.name === 'turn' ? [event.change, event.turn.percent] : event));
    const middle = ['waiting', 'resumed', 'waiting', 'resumed'].map((change) => [change, 1000]);
    const last = [
      ['progress', 1001],
      ['ended', 1001],
      ['usage', 2],
    ];
    expect(told).toEqual([['started', 0], ['progress', 7], ...middle, ...last]);
  });

  it('keeps the latest figures of a session only', () => {
    const outbox = new EventOutbox(limits);
    for (const pssBytes of [1, 2, 3])
      outbox.add({ name: 'resources', sessionId: 's1', pssBytes, cpuMs: 0, processes: 1, at: 1 });
    expect(outbox.take().events).toMatchObject([{ pssBytes: 3 }]);
  });
});

describe('batchOrder', () => {
  it.each([
    [undefined, { epoch: 3, seq: 1 }, 'next'],
    [undefined, { epoch: 3, seq: 7 }, 'gap'],
    [{ epoch: 3, seq: 7 }, { epoch: 3, seq: 8 }, 'next'],
    [{ epoch: 3, seq: 7 }, { epoch: 3, seq: 9 }, 'gap'],
    [{ epoch: 3, seq: 7 }, { epoch: 3, seq: 7 }, 'old'],
    [{ epoch: 3, seq: 7 }, { epoch: 4, seq: 1 }, 'next'],
    [{ epoch: 3, seq: 7 }, { epoch: 4, seq: 2 }, 'gap'],
    [{ epoch: 3, seq: 7 }, { epoch: 2, seq: 9 }, 'old'],
  ] as const)('after %j, %j is %s', (mark, batch, order) => {
    expect(batchOrder(mark, batch)).toBe(order);
  });
});
