import { expect, it } from 'vitest';

import { withLateUsage } from '../../src/job/late-usage.ts';
import { FakeClock, createScriptedSessions, scriptedSpec } from '../../testing/index.ts';

const TOLD = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 0, cacheCreationTokens: 0 };

async function endedTurn(prompt: string) {
  const clock = new FakeClock(1_000);
  const sessions = createScriptedSessions({ clock });
  const { sessionId } = await sessions.create(scriptedSpec('ses_1'));
  const { turnId } = await sessions.sendPrompt(sessionId, prompt);
  return { clock, sessions, turn: await sessions.waitForTurn(sessionId, turnId) };
}

it('what a turn used is waited for where its agent tells that after its end', async () => {
  const { clock, sessions, turn } = await endedTurn('late 100 20\nsay: done');
  expect(turn).toMatchObject({ text: 'done', state: { outcome: 'completed' }, usageFollows: true });
  expect(turn.usage).toBeUndefined();
  const waited = withLateUsage({ sessions, clock }, turn);
  clock.advance(100);
  expect(await waited).toMatchObject({ state: turn.state, usage: TOLD });
  expect((await waited).usageFollows).toBeUndefined();
  // It has been told already: asked, the host says so at once.
  expect((await withLateUsage({ sessions, clock }, turn)).usage).toEqual(TOLD);
});

it('is not waited for where nothing is to come, nor once it is told that it is not known', async () => {
  const { clock, sessions, turn } = await endedTurn('usage 1 2\nsay: done');
  expect(await withLateUsage({ sessions, clock }, turn)).toBe(turn);
  const late = await endedTurn('late\nsay: done');
  const waited = withLateUsage(late, late.turn);
  late.clock.advance(100);
  expect((await waited).usage).toBeUndefined();
  expect((await waited).usageFollows).toBeUndefined();
});

it('is given up after a while, of a host that is away', async () => {
  const { clock, sessions, turn } = await endedTurn('late 100 20\nsay: done');
  const away = { ...sessions, on: () => () => undefined, getTurn: () => Promise.reject(new Error('away')) };
  const waited = withLateUsage({ sessions: away, clock }, turn);
  clock.advance(3000);
  expect(await waited).toMatchObject({ state: turn.state, text: 'done' });
  expect((await waited).usage).toBeUndefined();
});
