import { describe, expect, it } from 'vitest';

import { serveSessions, type Command, type CommandBody, type CommandResult } from '../../src/index.ts';
import { EventLog, createScriptedSessions, scriptedSpec } from '../../testing/index.ts';
import { TestLine } from './test-line.ts';

let lastId = 0;

async function serve() {
  const line = new TestLine();
  const sessions = createScriptedSessions();
  const log = new EventLog(sessions, 'a');
  const served = serveSessions(line.host, sessions);
  const handle = (command: unknown): Promise<CommandResult> =>
    line.handler?.(command as Command) ?? Promise.reject(new Error('not served'));
  const send = (body: CommandBody, commandId = `c${(lastId += 1)}`): Promise<CommandResult> =>
    handle({ commandId, body });
  await send({ kind: 'create_session', sessionId: 'a', spec: scriptedSpec('a') });
  return { line, sessions, log, served, handle, send };
}

const prompt = (turnId: string, text: string): CommandBody => ({
  kind: 'send_prompt',
  sessionId: 'a',
  turnId,
  prompt: text,
  options: {},
});

describe('serveSessions', () => {
  it.each([undefined, {}, { commandId: 'c', body: { kind: 'dance' } }, { commandId: 'c', body: { kind: 'cancel' } }])(
    'answers %j with invalid_message',
    async (command) => {
      const { handle } = await serve();
      expect(await handle(command)).toMatchObject({ success: false, error: { code: 'invalid_message' } });
    },
  );

  it('answers with errors as values', async () => {
    const { send } = await serve();
    expect(await send({ kind: 'cancel', sessionId: 'nobody' })).toMatchObject({
      success: false,
      error: { code: 'session_unknown' },
    });
  });

  it('carries out once what arrives twice', async () => {
    const { send, log } = await serve();
    const typing: CommandBody = { kind: 'send_text', sessionId: 'a', text: 'x' };
    const results = await Promise.all([send(typing, 'same'), send(typing, 'same')]);
    results.push(await send(typing, 'same'));
    expect(results).toEqual([
      { success: true, result: null },
      { success: true, result: null },
      { success: true, result: null },
    ]);
    expect(log.of('output')).toHaveLength(1);
  });

  it('carries out once more what somebody has had handed out again, as often as that', async () => {
    const { handle, log } = await serve();
    const typing = { commandId: 'same', body: { kind: 'send_text', sessionId: 'a', text: 'x' } };
    for (const requeued of [undefined, 0, 1, 1, 2, 1]) await handle({ ...typing, requeued });
    expect(log.of('output')).toHaveLength(3);
  });

  it('asks anew each time something is read', async () => {
    const { send } = await serve();
    const read: CommandBody = { kind: 'get_output', sessionId: 'a', range: {} };
    expect(await send(read, 'read')).toMatchObject({ result: { text: '' } });
    await send({ kind: 'send_text', sessionId: 'a', text: 'x' });
    expect(await send(read, 'read')).toMatchObject({ result: { text: 'x' } });
  });

  it('lets cancel overtake prompts that wait', async () => {
    const { send, sessions } = await serve();
    await send(prompt('t1', 'hang'));
    const waiting = [send(prompt('t2', 'hang')), send(prompt('t3', 'say: three'))];
    expect(await send({ kind: 'get_turn', sessionId: 'a', turnId: 't2' })).toMatchObject({ result: null });
    await send({ kind: 'cancel', sessionId: 'a' });
    expect(await waiting[0]).toMatchObject({ success: true, result: { turnId: 't2' } });
    await send({ kind: 'cancel', sessionId: 'a' });
    expect(await waiting[1]).toMatchObject({ success: true, result: { turnId: 't3' } });
    expect(await sessions.waitForTurn('a', 't3')).toMatchObject({ text: 'three' });
  });

  it('begins what arrived together in order', async () => {
    const { send } = await serve();
    const results = await Promise.all([
      send({ kind: 'create_session', sessionId: 'b', spec: scriptedSpec('b') }),
      send({ kind: 'send_prompt', sessionId: 'b', turnId: 't1', prompt: 'hang', options: {} }),
      send({ kind: 'terminate', sessionId: 'b', graceMs: 10 }),
    ]);
    expect(results[0]).toMatchObject({ success: true });
    expect(results[2]).toMatchObject({ success: true });
  });

  it('answers every other kind of command', async () => {
    const { send } = await serve();
    await send(prompt('t1', 'ask: Bash'));
    const asked = await send({ kind: 'list_requests' });
    const { requestId } = (asked as { result: [{ requestId: string }] }).result[0];
    const bodies: CommandBody[] = [
      { kind: 'list_requests', sessionId: 'nobody' },
      { kind: 'answer_request', requestId, answer: { behavior: 'allow' } },
      { kind: 'send_keystrokes', sessionId: 'a', keys: ['Enter'] },
      { kind: 'resize', sessionId: 'a', size: { cols: 80, rows: 24 } },
      { kind: 'get_session', sessionId: 'a' },
      { kind: 'list_sessions' },
      { kind: 'list_sessions', status: ['terminated'] },
      { kind: 'get_output', sessionId: 'a', range: { as: 'raw' } },
      { kind: 'reset', sessionId: 'a' },
      { kind: 'terminate', sessionId: 'a' },
    ];
    const results: unknown[] = [];
    for (const body of bodies) results.push({ kind: body.kind, success: (await send(body)).success });
    expect(results).toEqual(bodies.map(({ kind }) => ({ kind, success: true })));
  });

  it('forwards what happens', async () => {
    const { line, send } = await serve();
    await send({ kind: 'send_text', sessionId: 'a', text: 'hi' });
    await send({ kind: 'terminate', sessionId: 'a' });
    expect(line.published.map(({ name }) => name)).toEqual(['status', 'status', 'output', 'status', 'exit']);
    expect(line.published[2]).toMatchObject({ name: 'output', base64: 'aGk=' });
  });

  it('stops serving: nothing new begins, nothing more is told', async () => {
    const { line, send, served, sessions } = await serve();
    await send(prompt('t1', 'hang'));
    const [queued, waiting] = [send(prompt('t2', 'say: two')), send(prompt('t3', 'say: three'))];
    await served.close();
    await served.close();
    const told = line.published.length;
    await sessions.cancel('a');
    expect(await queued).toMatchObject({ success: true });
    expect(await waiting).toMatchObject({ success: false, error: { code: 'host_lost' } });
    expect(line.published).toHaveLength(told);
    expect(line.handler).toBeNull();
  });
});
