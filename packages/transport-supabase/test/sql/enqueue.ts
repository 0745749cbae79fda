import { newId } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import type { Stage } from './stage.ts';

/** How an office asks, and which host it asks. */
export function describeEnqueue(stage: () => Stage): void {
  describe('asking', () => {
    asking(stage);
    askingAgain(stage);
    routing(stage);
  });
  describe('placement', () => {
    placing(stage);
    madeSessions(stage);
    placingOneByOne(stage);
  });
}

function asking(stage: () => Stage): void {
  it('numbers the commands of a session, each lane by itself in order', async () => {
    const office = stage().office();
    await office.register('h1');
    const { sessionId: p_session_id } = await office.session();
    const kinds = ['send_prompt', 'cancel', 'reset', 'get_output', 'assign_workspace', 'send_keystrokes'];
    for (const kind of kinds) await office.enqueue(kind, { p_session_id });
    const rows = await office.member.select('select kind, lane, seq::int from agent_commands order by seq');
    expect(rows).toEqual([
      { kind: 'create_session', lane: 'turn', seq: 1 },
      { kind: 'send_prompt', lane: 'turn', seq: 2 },
      { kind: 'cancel', lane: 'control', seq: 3 },
      { kind: 'reset', lane: 'turn', seq: 4 },
      { kind: 'get_output', lane: 'control', seq: 5 },
      { kind: 'assign_workspace', lane: 'turn', seq: 6 },
      { kind: 'send_keystrokes', lane: 'control', seq: 7 },
    ]);
  });

  it('refuses what is for nobody, or for nobody it knows', async () => {
    const office = stage().office();
    await expect(office.enqueue('list_sessions')).rejects.toMatchObject({ hint: 'invalid_argument' });
    await expect(office.enqueue('list_sessions', { p_host_id: 'h1' })).rejects.toMatchObject({ hint: 'host_lost' });
    const prompt = office.enqueue('send_prompt', { p_session_id: 'nowhere' });
    await expect(prompt).rejects.toMatchObject({ hint: 'session_unknown' });
    const answer = office.enqueue('answer_request', { p_payload: { requestId: 'req_1' } });
    await expect(answer).rejects.toMatchObject({ hint: 'request_unknown' });
    expect(await office.member.select('select * from agent_commands')).toEqual([]);
  });

  it('takes back what no host has had yet, and nothing else', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const { sessionId } = await office.session();
    const [create] = await host.claim();
    const prompt = await office.enqueue('send_prompt', { p_session_id: sessionId });
    const withdraw = (id: unknown) => office.member.value('semo_withdraw_command', { p_command_id: id });
    expect(await withdraw(prompt['command_id'])).toBe(true);
    expect(await withdraw(prompt['command_id'])).toBe(false);
    expect(await withdraw(create?.['command_id'])).toBe(false);
    expect(await withdraw(newId('cmd'))).toBe(false);
    const got = await office.member.row('semo_get_command', { p_command_id: prompt['command_id'] });
    expect(got).toMatchObject({ status: 'failed', success: false, error: { code: 'aborted', class: 'cancelled' } });
    // Whoever asks for it after that asks for it anew.
    const again = { p_session_id: sessionId, p_command_id: prompt['command_id'] };
    expect(await office.enqueue('send_prompt', again)).toMatchObject({ status: 'pending', host_id: 'h1' });
    expect(await office.member.row('semo_get_command', { p_command_id: prompt['command_id'] })).toMatchObject({
      success: null,
      error: null,
    });
  });
}

function askingAgain(stage: () => Stage): void {
  it('asks once, however often it is asked with the same id, also at once', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const { sessionId: p_session_id } = await office.session();
    const p_command_id = newId('cmd');
    const ask = () => office.enqueue('send_prompt', { p_session_id, p_command_id, p_payload: { prompt: 'Go.' } });
    const first = await ask();
    expect(await ask()).toEqual(first);
    const together = newId('cmd');
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => office.enqueue('cancel', { p_session_id, p_command_id: together })),
    );
    expect(new Set(answers.map(({ seq }) => seq)).size).toBe(1);
    expect(await office.member.select('select * from agent_commands')).toHaveLength(3);
    const [, prompt] = [...(await completeAll(host)), ...(await completeAll(host))].filter(
      ({ lane }) => lane === 'turn',
    );
    expect(prompt).toMatchObject({ command_id: p_command_id, payload: { prompt: 'Go.' } });
    expect(await ask()).toEqual({ ...first, status: 'completed' });
    expect(await host.claim()).toEqual([]);
  });

  it('refuses another command under an id that is taken', async () => {
    const office = stage().office();
    await office.register('h1');
    const { sessionId: p_session_id } = await office.session();
    const p_command_id = newId('cmd');
    await office.enqueue('cancel', { p_session_id, p_command_id });
    const other = office.enqueue('reset', { p_session_id, p_command_id });
    await expect(other).rejects.toMatchObject({ hint: 'invalid_argument' });
    const changed = office.enqueue('cancel', { p_session_id, p_command_id, p_payload: { more: 1 } });
    await expect(changed).rejects.toMatchObject({ hint: 'invalid_argument' });
  });

  it('forgets what nobody waits for, unless somebody asks again in time', async () => {
    const office = stage().office();
    const host = await office.register('h1', { p_lease_ms: 3_600_000 });
    const { sessionId: p_session_id } = await office.session();
    await completeAll(host);
    const [kept, left] = [newId('cmd'), newId('cmd')];
    const ask = (p_command_id: string) => office.enqueue('cancel', { p_session_id, p_command_id, p_expires_ms: 1000 });
    await ask(left);
    await ask(kept);
    await stage().pass(999);
    await ask(kept);
    await stage().pass(1);
    // The one that has expired does not hold up the one behind it.
    expect((await host.claim()).map(({ command_id }) => command_id)).toEqual([kept]);
    expect(await office.member.row('semo_get_command', { p_command_id: left })).toMatchObject({
      status: 'failed',
      attempts: 0,
      error: { code: 'host_lost', retryable: true },
    });
    expect(await ask(left)).toMatchObject({ status: 'pending', seq: '4' });
    const extended = await ask(left);
    await completeAll(host);
    expect(extended).toMatchObject({ command_id: left, seq: '4' });
  });
}

function routing(stage: () => Stage): void {
  it('asks a session at its own host only, and a host as a whole', async () => {
    const office = stage().office();
    const [one, other] = [await office.register('h1'), await office.register('h2')];
    const { sessionId } = await office.session({ p_host_id: 'h2' });
    await office.enqueue('list_sessions', { p_host_id: 'h1' });
    await office.enqueue('list_sessions', { p_host_id: 'h1' });
    expect((await one.claim()).map(({ kind, session_id }) => [kind, session_id])).toEqual([
      ['list_sessions', null],
      ['list_sessions', null],
    ]);
    expect(await other.claim()).toMatchObject([{ kind: 'create_session', session_id: sessionId }]);
  });

  it('finds the session of a request that is answered', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const { sessionId } = await office.session();
    const request = { requestId: 'req_1', sessionId, turnId: 'turn_1', kind: 'permission', askedAt: 5 };
    await host.rows('semo_put_request', { p_record: { request, state: { kind: 'open' } } });
    const answer = await office.enqueue('answer_request', { p_payload: { requestId: 'req_1' } });
    expect(answer).toMatchObject({ session_id: sessionId, host_id: 'h1' });
  });
}

function placing(stage: () => Stage): void {
  it('takes the host with the fewest sessions for its capacity, as long as one has room', async () => {
    const office = stage().office();
    await office.register('big', { p_capacity: 4 });
    await office.register('small', { p_capacity: 2 });
    const hosts: string[] = [];
    for (let number = 0; number < 6; number += 1) hosts.push((await office.session()).hostId);
    expect(hosts).toEqual(['big', 'small', 'big', 'big', 'small', 'big']);
    await expect(office.session()).rejects.toMatchObject({ hint: 'capacity_exhausted' });
  });

  it('takes only a host with the labels and the agent that are wanted', async () => {
    const office = stage().office();
    await office.register('plain');
    await office.register('gpu', { p_labels: ['gpu', 'eu'], p_agents: { claude: '2.1.329' } });
    expect((await office.session({ p_labels: ['eu'] })).hostId).toBe('gpu');
    const shell = { spec: { agent: { kind: 'shell' } } };
    const missing = office.session({ p_labels: ['gpu'], p_payload: shell });
    await expect(missing).rejects.toMatchObject({ hint: 'capacity_exhausted', message: /labels: gpu/ });
    expect((await office.session({ p_payload: shell })).hostId).toBe('plain');
  });

  it('takes no host that is away, and says when none is there', async () => {
    const office = stage().office();
    await expect(office.session()).rejects.toMatchObject({ hint: 'host_lost' });
    await office.register('h1');
    await stage().pass(15_000);
    await expect(office.session()).rejects.toMatchObject({ hint: 'host_lost' });
    await office.register('h2');
    expect((await office.session()).hostId).toBe('h2');
  });

  it('goes on with a conversation where it lies', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    await office.register('h2');
    const resume = crypto.randomUUID();
    const { sessionId } = await office.session({ p_host_id: 'h1' });
    const info = { sessionId, status: 'terminated', createdAt: 1, agent: { conversationId: resume } };
    await host.rows('semo_report_session', { p_info: info });
    await office.session({ p_host_id: 'h1' });
    const p_payload = { spec: { agent: { kind: 'claude', resume } } };
    expect((await office.session({ p_payload })).hostId).toBe('h1');
    await host.rows('semo_sign_off_host');
    await expect(office.session({ p_payload })).rejects.toMatchObject({ hint: 'host_lost', message: /Host h1/ });
  });

  it('gives a session whose making failed a new place, and keeps the place of one that is there', async () => {
    const office = stage().office();
    const [one, other] = [await office.register('h1'), await office.register('h2')];
    const sessionId = newId('ses');
    const make = (p_host_id: string) => office.enqueue('create_session', { p_session_id: sessionId, p_host_id });
    await make('h1');
    expect(await make('h2')).toMatchObject({ host_id: 'h1', seq: '2' });
    const [first] = await one.claim();
    await one.fail(first ?? {});
    expect(await office.member.select('select status, ended_at is null as open from agent_sessions')).toEqual([
      { status: 'error', open: false },
    ]);
    expect(await make('h2')).toMatchObject({ host_id: 'h2', seq: '3' });
    expect(await other.claim()).toMatchObject([{ session_id: sessionId, seq: '3' }]);
  });
}

function madeSessions(stage: () => Stage): void {
  it('knows a session as soon as its making is answered, and keeps its place when it is made once more in vain', async () => {
    const office = stage().office();
    const host = await office.register('h1');
    const { sessionId } = await office.session();
    const info = { sessionId, status: 'ready', createdAt: 7 };
    for (const command of await host.claim()) await host.complete(command, info);
    const sessions = () => office.member.select('select status, info, created_ms, ended_at from agent_sessions');
    const made = [{ status: 'ready', info, created_ms: 7, ended_at: null }];
    expect(await sessions()).toEqual(made);
    await office.enqueue('create_session', { p_session_id: sessionId });
    for (const command of await host.claim()) await host.fail(command);
    expect(await sessions()).toEqual(made);
  });
}

function placingOneByOne(stage: () => Stage): void {
  it('gives away no place twice, also when many ask at once', async () => {
    const office = stage().office();
    await office.register('h1', { p_capacity: 3 });
    await office.register('h2', { p_capacity: 3 });
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => office.session()));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
    const load = await office.member.select('select host_id, count(*)::int from agent_sessions group by 1 order by 1');
    expect(load).toEqual([
      { host_id: 'h1', count: 3 },
      { host_id: 'h2', count: 3 },
    ]);
  });
}

async function completeAll(host: Awaited<ReturnType<ReturnType<Stage['office']>['register']>>) {
  const commands = await host.claim();
  for (const command of commands) await host.complete(command);
  return commands;
}
