import type { SessionEvents, TurnUsage } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { expect, it } from 'vitest';

import { LiveTurn } from '../src/live-turn.ts';

it('a turn that stalls before its first word still ends by the silence after it', async () => {
  const clock = new FakeClock(0);
  const changes: string[] = [];
  const turn = new LiveTurn({
    turnId: 'turn_1',
    sessionId: 'ses_1',
    outputStart: 0,
    prompt: 'x',
    config: { sources: ['exit', 'silence'], exitMeans: 'status', timeoutMs: 600_000, silenceMs: 200 },
    clock,
    onChange: ({ change }) => changes.push(change),
  });
  turn.observe({ kind: 'accepted', at: clock.now() });
  clock.advance(500);
  expect(changes).toEqual(['started', 'stalled']);
  turn.observe({ kind: 'activity', at: clock.now() });
  clock.advance(500);
  expect((await turn.ended).state).toMatchObject({ outcome: 'completed', decidedBy: 'silence' });
});

const USED: TurnUsage = { inputTokens: 7, outputTokens: 2, cacheReadTokens: 0, cacheCreationTokens: 0 };

function lateTurn(lateUsage: () => Promise<TurnUsage | null> | null) {
  const told: SessionEvents['turn'][] = [];
  const turn = new LiveTurn({
    turnId: 'turn_1',
    sessionId: 'ses_1',
    outputStart: 0,
    prompt: 'x',
    config: { sources: ['agent_end'], exitMeans: 'crash', timeoutMs: 600_000, silenceMs: 60_000 },
    clock: new FakeClock(0),
    lateUsage,
    onChange: (event) => told.push(event),
  });
  turn.observe({ kind: 'accepted', at: 0 });
  return { turn, told, changes: () => told.map(({ change }) => change) };
}

it('what an agent tells after its end is added, and the verdict does not wait for it', async () => {
  const coming = Promise.withResolvers<TurnUsage | null>();
  const { turn, told, changes } = lateTurn(() => coming.promise);
  turn.observe({ kind: 'agent_end', at: 1, text: 'Done.', backgroundTasks: 0 });
  const ended = await turn.ended;
  expect(ended).toMatchObject({ state: { outcome: 'completed' }, text: 'Done.', usageFollows: true });
  expect(ended.usage).toBeUndefined();
  expect(changes()).toEqual(['started', 'ended']);
  coming.resolve(USED);
  await coming.promise;
  expect(changes()).toEqual(['started', 'ended', 'usage']);
  expect(told.at(-1)!.turn).toEqual(turn.info());
  const { usageFollows: _, ...known } = ended;
  expect(turn.info()).toEqual({ ...known, usage: USED });
});

it('what cannot be known is told to be so, and is none', async () => {
  const { turn, changes } = lateTurn(() => Promise.reject(new Error('unreadable')));
  turn.observe({ kind: 'agent_end', at: 1, text: '', backgroundTasks: 0 });
  await expect.poll(changes).toEqual(['started', 'ended', 'usage']);
  expect('usage' in turn.info() || 'usageFollows' in turn.info()).toBe(false);
});

it('an agent that tells with its end is not asked again, nor while it pauses', () => {
  let asked = 0;
  const { turn } = lateTurn(() => {
    asked += 1;
    return null;
  });
  turn.observe({ kind: 'agent_end', at: 1, text: '', backgroundTasks: 1, usage: USED });
  expect(asked).toBe(0);
  turn.observe({ kind: 'agent_end', at: 2, text: '', backgroundTasks: 0 });
  expect(asked).toBe(0);
  expect(turn.info()).toMatchObject({ usage: USED });
});
