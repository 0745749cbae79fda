import { once } from 'node:events';
import { createServer } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  remoteSessions,
  serveSessions,
  type Command,
  type LinkStatus,
  type OfficeLink,
  type WireEvent,
} from '@semo-office/core';
import { EventLog, FakeClock, createScriptedSessions, expectError, scriptedSpec } from '@semo-office/core/testing';

import { connectToSocket, listenOnSocket } from '../../src/index.ts';
import { closeLater, killHard, socketPath, startDeadHost } from '../fixtures/socket-fixture.ts';

const command: Command = { commandId: 'c1', body: { kind: 'list_sessions' } };

function nextStatus(office: OfficeLink, wanted: LinkStatus): Promise<void> {
  return new Promise((resolve) => {
    const off = office.onStatus((status) => {
      if (status !== wanted) return;
      off();
      resolve();
    });
  });
}

/** A server that says one thing to whoever connects. */
async function sayTo(path: string, text: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
    if (text !== '') socket.write(text);
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
}

describe('connectToSocket', () => {
  it('fails where nobody listens', async () => {
    await expectError(connectToSocket({ path: await socketPath() }), 'host_lost');
  });

  it('refuses a host of another protocol, in a sentence', async () => {
    const path = await socketPath();
    await sayTo(path, '{"kind":"hello","protocol":99}\n');
    const error = await expectError(connectToSocket({ path }), 'not_supported');
    expect(error.message).toContain('protocol 99, this one 1');
  });

  it('passes on why a host refused it', async () => {
    const path = await socketPath();
    await sayTo(path, '{"kind":"refused","message":"Not today."}\n');
    expect((await expectError(connectToSocket({ path }), 'not_supported')).message).toContain('Not today.');
  });

  it('fails on a listener that is no host', async () => {
    const path = await socketPath();
    await sayTo(path, 'HTTP/1.1 400 Bad Request\r\n\r\n');
    await expectError(connectToSocket({ path }), 'host_lost');
  });

  it('waits so long for a hello and no longer', async () => {
    const path = await socketPath();
    const clock = new FakeClock();
    const server = createServer((socket) => {
      socket.on('error', () => {});
      clock.advance(5000);
    });
    server.listen(path);
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    await expectError(connectToSocket({ path, clock }), 'host_lost');
    expect(clock.pending).toBe(0);
  });

  it('answers host_lost while a host listens and does not serve', async () => {
    const path = await socketPath();
    const host = closeLater(await listenOnSocket({ path }));
    const office = closeLater(await connectToSocket({ path }));
    expect(await office.dispatch(command)).toMatchObject({ success: false, error: { code: 'host_lost' } });
    const stop = host.serve(async () => ({ success: true, result: 1 }));
    expect(() => host.serve(async () => ({ success: true, result: 2 }))).toThrow('already');
    expect(await office.dispatch(command)).toEqual({ success: true, result: 1 });
    stop();
    expect(await office.dispatch(command)).toMatchObject({ success: false });
  });

  it('refuses what no frame carries, in both directions, and lives on', async () => {
    const path = await socketPath();
    const host = closeLater(await listenOnSocket({ path }));
    const office = closeLater(await connectToSocket({ path }));
    const big = 'x'.repeat(17 * 1024 * 1024);
    host.serve(async (arrived) => ({ success: true, result: arrived.commandId === 'big' ? big : null }));
    await expectError(
      office.dispatch({ commandId: 'c', body: { kind: 'send_text', sessionId: 's', text: big } }),
      'invalid_argument',
    );
    expect(await office.dispatch({ ...command, commandId: 'big' })).toMatchObject({
      success: false,
      error: { code: 'invalid_argument' },
    });
    expect(await office.dispatch(command)).toEqual({ success: true, result: null });
  });

  it('gives a command up by its signal, and passes over a late answer', async () => {
    const path = await socketPath();
    const host = closeLater(await listenOnSocket({ path }));
    const office = closeLater(await connectToSocket({ path }));
    const gate = Promise.withResolvers<void>();
    host.serve(async ({ commandId }) => {
      if (commandId === 'slow') await gate.promise;
      return { success: true, result: null };
    });
    const giveUp = new AbortController();
    const pending = expectError(
      office.dispatch({ ...command, commandId: 'slow' }, { signal: giveUp.signal }),
      'aborted',
    );
    giveUp.abort();
    await pending;
    gate.resolve();
    await expectError(office.dispatch(command, { signal: giveUp.signal }), 'aborted');
    expect(await office.dispatch(command)).toEqual({ success: true, result: null });
  });

  it('fails what is pending when it is closed', async () => {
    const path = await socketPath();
    const host = closeLater(await listenOnSocket({ path }));
    const office = await connectToSocket({ path });
    host.serve(() => new Promise(() => {}));
    const pending = expectError(office.dispatch(command), 'closed');
    const told = nextStatus(office, 'closed');
    await office.close();
    await office.close();
    await Promise.all([pending, told]);
    await expectError(office.dispatch(command), 'closed');
  });

  it('loses a host that is killed, and finds the next one', async () => {
    const path = await socketPath();
    const dead = await startDeadHost(path);
    const office = closeLater(await connectToSocket({ path, minReconnectMs: 1, maxReconnectMs: 10 }));
    const down = nextStatus(office, 'disconnected');
    const arrived = dead.stdout === null ? null : once(dead.stdout, 'data');
    const pending = expectError(office.dispatch(command), 'host_lost');
    await arrived;
    await killHard(dead);
    await Promise.all([pending, down]);
    await expectError(office.dispatch(command), 'host_lost');
    const up = nextStatus(office, 'connected');
    const host = closeLater(await listenOnSocket({ path }));
    host.serve(async () => ({ success: true, result: 'new' }));
    await up;
    expect(await office.dispatch(command)).toEqual({ success: true, result: 'new' });
  });

  it('tries again later and later, and stops when closed', async () => {
    const path = await socketPath();
    const clock = new FakeClock();
    const host = await listenOnSocket({ path });
    const office = await connectToSocket({ path, clock, minReconnectMs: 100, maxReconnectMs: 300 });
    const down = nextStatus(office, 'disconnected');
    await host.close();
    await down;
    expect(clock.pending).toBe(1);
    clock.advance(99);
    expect(clock.pending).toBe(1);
    await office.close();
    expect(clock.pending).toBe(0);
  });
});

describe('sessions over a socket', () => {
  async function serve(path: string) {
    const sessions = createScriptedSessions();
    const host = closeLater(await listenOnSocket({ path }));
    serveSessions(host, sessions);
    onTestFinished(() => sessions.close());
    return { sessions, host };
  }

  it('live on without their office, and another one finds them', async () => {
    const path = await socketPath();
    await serve(path);
    const first = remoteSessions(await connectToSocket({ path }));
    await first.create(scriptedSpec('a'));
    const { turnId } = await first.sendPrompt('a', 'hang');
    await first.close();
    const second = closeLater(remoteSessions(await connectToSocket({ path })));
    expect(await second.list()).toMatchObject([{ sessionId: 'a', status: 'executing', turnId }]);
    const waiting = second.waitForTurn('a', turnId);
    await second.cancel('a');
    expect((await waiting).state).toMatchObject({ outcome: 'cancelled' });
  });

  it('tell everything to every office', async () => {
    const path = await socketPath();
    await serve(path);
    const offices = [closeLater(await connectToSocket({ path })), closeLater(await connectToSocket({ path }))];
    const heard = offices.map((office) => {
      const events: WireEvent[] = [];
      const exit = new Promise<void>((resolve) => {
        office.onEvent((event) => {
          events.push(event);
          if (event.name === 'exit') resolve();
        });
      });
      return { events, exit };
    });
    const [sessions] = offices.map((office) => remoteSessions(office));
    await sessions?.create(scriptedSpec('a'));
    const turn = await sessions?.sendPrompt('a', 'say: hi');
    await sessions?.waitForTurn('a', turn?.turnId ?? '');
    await sessions?.terminate('a');
    await Promise.all(heard.map(({ exit }) => exit));
    expect(heard[0]?.events).toEqual(heard[1]?.events);
    expect(heard[0]?.events.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['status', 'output', 'turn', 'exit']),
    );
  });

  it('outlast a host that stops listening for a while', async () => {
    const path = await socketPath();
    const { sessions: local, host } = await serve(path);
    const office = await connectToSocket({ path, minReconnectMs: 1, maxReconnectMs: 10 });
    const sessions = closeLater(remoteSessions(office));
    await sessions.create(scriptedSpec('a'));
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = sessions.waitForTurn('a', turnId);
    await sessions.get('a');
    const down = nextStatus(office, 'disconnected');
    await host.close();
    await down;
    await local.cancel('a');
    const asked = sessions.get('a');
    const again = closeLater(await listenOnSocket({ path }));
    serveSessions(again, local);
    expect((await waiting).state).toMatchObject({ outcome: 'cancelled' });
    expect((await asked)?.status).toBe('ready');
  });

  it('let a cancel overtake the prompts that wait', async () => {
    const path = await socketPath();
    await serve(path);
    const sessions = closeLater(remoteSessions(await connectToSocket({ path })));
    const log = new EventLog(sessions, 'a');
    await sessions.create(scriptedSpec('a'));
    const first = await sessions.sendPrompt('a', 'hang');
    const rest = [sessions.sendPrompt('a', 'say: two'), sessions.sendPrompt('a', 'say: three')];
    await sessions.cancel('a');
    await Promise.all(rest);
    await log.until((told) => told.of('turn').filter(({ change }) => change === 'ended').length === 3);
    const texts = log
      .of('turn')
      .filter(({ change }) => change === 'ended')
      .map(({ turn }) => turn.text);
    expect(log.changesOf(first.turnId).at(-1)?.turn.state).toMatchObject({ outcome: 'cancelled' });
    expect(texts.slice(1)).toEqual(['two', 'three']);
  });
});
