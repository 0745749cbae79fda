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
