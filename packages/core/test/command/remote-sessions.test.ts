import { describe, expect, it } from 'vitest';

import { SemoError, errorToWire, remoteSessions, serveSessions, type Key } from '../../src/index.ts';
import { FakeClock, createScriptedSessions, expectError, scriptedSpec } from '../../testing/index.ts';
import { TestLine } from './test-line.ts';

async function open() {
  const line = new TestLine();
  const clock = new FakeClock();
  const host = createScriptedSessions();
  serveSessions(line.host, host);
  const sessions = remoteSessions(line.office, { clock });
  await sessions.create(scriptedSpec('a'));
  line.sent.length = 0;
  return { line, clock, host, sessions };
}

/** Lets everything that is ready go on, timers excepted. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('remoteSessions', () => {
  it('refuses what is wrong before anything is sent', async () => {
    const { line, sessions } = await open();
    await expectError(sessions.create({ ...scriptedSpec('b'), sessionId: '' }), 'invalid_argument');
    await expectError(sessions.sendPrompt('a', ''), 'invalid_prompt');
    await expectError(sessions.sendPrompt('a', 'x', { silenceMs: 0 }), 'invalid_argument');
    await expectError(sessions.sendKeystrokes('a', ['Anykey' as Key]), 'invalid_argument');
    await expectError(sessions.waitForTurn('a', '?'), 'invalid_argument');
    await expectError(sessions.waitForTurn('a', 't', { timeoutMs: -1 }), 'invalid_argument');
    await expectError(sessions.get('../a'), 'invalid_argument');
    expect(line.sent).toEqual([]);
  });

  it('gives every prompt a turn id and every command an id of its own', async () => {
    const { line, sessions } = await open();
    const turn = await sessions.sendPrompt('a', 'say: x');
    await sessions.sendPrompt('a', 'say: y', { turnId: 'mine' });
    expect(line.sent.map(({ body }) => body.kind === 'send_prompt' && body.turnId)).toEqual([turn.turnId, 'mine']);
    expect(new Set(line.sent.map(({ commandId }) => commandId)).size).toBe(2);
  });

  it('refuses answers that make no sense', async () => {
    const { line, sessions } = await open();
    line.answer = async () => ({ success: 'maybe' });
    await expectError(sessions.cancel('a'), 'invalid_message');
    line.answer = async () => ({ success: true, result: { sessionId: 'a' } });
    await expectError(sessions.get('a'), 'invalid_message');
  });

  it('repeats a command with the same id once the host is back', async () => {
    const { line, host, sessions } = await open();
    line.cut();
    const sending = sessions.sendPrompt('a', 'say: x', { turnId: 't1' });
    await settle();
    line.mend();
    await sending;
    expect(new Set(line.sent.map(({ commandId }) => commandId)).size).toBe(1);
    expect(line.sent).toHaveLength(2);
    expect((await host.getTurn('a', 't1'))?.turnId).toBe('t1');
  });

  it('repeats a command whose answer was lost, and has it carried out once', async () => {
    const { line, clock, host, sessions } = await open();
    await sessions.sendPrompt('a', 'hang', { turnId: 't1' });
    const sending = sessions.sendPrompt('a', 'say: x', { turnId: 't2' });
    await settle();
    line.cut();
    await host.cancel('a');
    await settle();
    line.isUp = true;
    clock.advance(250);
    expect(await sending).toMatchObject({ turnId: 't2' });
    expect(await host.waitForTurn('a', 't2')).toMatchObject({ text: 'x' });
  });

  it('gives up when the host stays away', async () => {
    const { line, clock, sessions } = await open();
    line.cut();
    const lost = expectError(sessions.get('a'), 'host_lost');
    for (let passedMs = 0; passedMs < 10_000; passedMs += 250) {
      await settle();
      clock.advance(250);
    }
    expect((await lost).retryable).toBe(true);
    expect(line.sent.length).toBeGreaterThan(10);
    expect(clock.pending).toBe(0);
  });

  it('does not ask again for a host that is known to be lost', async () => {
    const { line, clock, sessions } = await open();
    const lost = new SemoError('host_lost', 'It is lost.', { details: { noticed: true } });
    line.answer = async () => ({ success: false, error: errorToWire(lost) });
    await expectError(sessions.sendPrompt('a', 'say: x'), 'host_lost');
    await expectError(sessions.waitForTurn('a', 't1'), 'host_lost');
    expect(line.sent).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('never types twice', async () => {
    const { line, sessions } = await open();
    line.cut();
    await expectError(sessions.sendText('a', 'x'), 'host_lost');
    await expectError(sessions.sendKeystrokes('a', ['Enter']), 'host_lost');
    expect(line.sent).toHaveLength(2);
  });

  it('stops repeating when its signal says so', async () => {
    const { line, clock, sessions } = await open();
    line.cut();
    const giveUp = new AbortController();
    const sending = expectError(sessions.sendPrompt('a', 'say: x', {}, { signal: giveUp.signal }), 'aborted');
    await settle();
    giveUp.abort();
    await sending;
    expect(clock.pending).toBe(0);
    await expectError(sessions.create(scriptedSpec('b'), { signal: giveUp.signal }), 'aborted');
    expect(line.sent).toHaveLength(1);
  });

  it('says session_unknown when another host has taken the place', async () => {
    const { line, sessions } = await open();
    line.cut();
    const sending = expectError(sessions.sendPrompt('a', 'say: x'), 'session_unknown');
    await settle();
    serveSessions(line.host, createScriptedSessions());
    line.mend();
    await sending;
  });

  it('closes the line and leaves the sessions', async () => {
    const { line, host, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = expectError(sessions.waitForTurn('a', turnId), 'closed');
    await settle();
    await sessions.close();
    await sessions.close();
    await waiting;
    await expectError(sessions.get('a'), 'closed');
    expect(line.isClosed).toBe(true);
    expect((await host.get('a'))?.status).toBe('executing');
  });
});

describe('remoteSessions, waiting for a turn', () => {
  it('asks at once when something is the matter with the session', async () => {
    const { line, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = expectError(sessions.waitForTurn('a', turnId), 'host_lost');
    await settle();
    const lost = new SemoError('host_lost', 'It is lost.', { details: { noticed: true } });
    line.answer = () => Promise.reject(lost);
    line.events.emit('event', { name: 'status', sessionId: 'other', status: 'error', at: 1 });
    line.events.emit('event', { name: 'status', sessionId: 'a', status: 'error', at: 1 });
    expect((await waiting).details).toEqual({ noticed: true });
  });

  it('sees an end whose event was lost, when the line is back', async () => {
    const { line, host, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = sessions.waitForTurn('a', turnId);
    await settle();
    line.cut();
    await host.cancel('a');
    line.mend();
    expect((await waiting).state).toMatchObject({ outcome: 'cancelled' });
  });

  it('sees an end whose event was lost, by asking from time to time', async () => {
    const { line, clock, host, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = sessions.waitForTurn('a', turnId);
    await settle();
    line.isUp = false;
    await host.cancel('a');
    line.isUp = true;
    clock.advance(2000);
    expect((await waiting).state).toMatchObject({ outcome: 'cancelled' });
    expect(clock.pending).toBe(0);
  });

  it('loses the host when the line stays down', async () => {
    const { line, clock, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = expectError(sessions.waitForTurn('a', turnId), 'host_lost');
    await settle();
    line.cut();
    for (let passedMs = 0; passedMs < 9999; passedMs += 1111) {
      clock.advance(1111);
      await settle();
    }
    clock.advance(1);
    await waiting;
    expect(clock.pending).toBe(0);
  });

  it('loses a host that no longer answers, though the line is up', async () => {
    const { line, clock, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    line.answer = () => new Promise(() => {});
    const waiting = expectError(sessions.waitForTurn('a', turnId), 'host_lost');
    await settle();
    clock.advance(10_000);
    await waiting;
  });

  it('bears a short absence', async () => {
    const { line, clock, host, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = sessions.waitForTurn('a', turnId);
    for (let times = 0; times < 5; times += 1) {
      await settle();
      line.cut();
      clock.advance(9000);
      await settle();
      line.mend();
    }
    await settle();
    await host.cancel('a');
    expect((await waiting).state).toMatchObject({ outcome: 'cancelled' });
  });

  it('knows that a host does not know the turn, or the session', async () => {
    const { line, sessions } = await open();
    await expectError(sessions.waitForTurn('a', 'never'), 'turn_unknown');
    serveSessions(line.host, createScriptedSessions());
    await expectError(sessions.waitForTurn('a', 'never'), 'session_unknown');
  });

  it('gives up after its time, or by its signal, and cleans up', async () => {
    const { clock, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const timedOut = expectError(sessions.waitForTurn('a', turnId, { timeoutMs: 500 }), 'wait_timed_out');
    await settle();
    clock.advance(500);
    await timedOut;
    const giveUp = new AbortController();
    const aborted = expectError(sessions.waitForTurn('a', turnId, { signal: giveUp.signal }), 'aborted');
    await settle();
    giveUp.abort();
    await aborted;
    expect(clock.pending).toBe(0);
  });

  it('fails when the line is closed under it', async () => {
    const { line, sessions } = await open();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = expectError(sessions.waitForTurn('a', turnId), 'closed');
    line.events.emit('status', 'closed');
    await waiting;
  });
});
