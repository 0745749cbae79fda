import { newId, turnInfoSchema, wireEventSchema, type TurnInfo } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { hintOf, type Host, type Office, type Stage } from './stage.ts';

const GRACE_MS = 60_000;

/** What becomes of the sessions of a host that does not hold on to its lease. */
export function describeLoss(stage: () => Stage): void {
  describe('loss', () => {
    noticing(stage);
    givingUp(stage);
    turns(stage);
    comingBack(stage);
  });
}

type Wire = ReturnType<typeof wireEventSchema.parse>;

/** What offices are told of a host, batch by batch. */
async function told(office: Office, hostId = 'h1'): Promise<Wire[][]> {
  const rows = await office.member.rows('semo_read_events', { p_after: '{}' });
  const own = rows.filter(({ host_id: id }) => id === hostId);
  return own.map(({ events }) => (events as unknown[]).map((event) => wireEventSchema.parse(event)));
}

const infoOf = (sessionId: string) => ({ sessionId, status: 'ready', createdAt: 1, agent: { conversationId: 'conv' } });

/** A host with a session that is made. */
async function hostWithSession(office: Office): Promise<{ readonly host: Host; readonly sessionId: string }> {
  const host = await office.register('h1');
  const { sessionId } = await office.session();
  for (const command of await host.claim()) await host.complete(command, infoOf(sessionId));
  await host.rows('semo_report_session', { p_info: infoOf(sessionId) });
  return { host, sessionId };
}

const sweep = (office: Office, more = {}) => office.server.row('semo_sweep', { p_grace_ms: GRACE_MS, ...more });

async function loseHost(stage: Stage, office: Office): Promise<void> {
  await stage.pass(15_000);
  expect(await sweep(office)).toMatchObject({ lost_hosts: ['h1'], given_up_sessions: [] });
}

function noticing(stage: () => Stage): void {
  it('tells every office of the sessions, as the last of that epoch, and takes nothing after it', async () => {
    const office = stage().office();
    const { host, sessionId } = await hostWithSession(office);
    const exit = { name: 'exit', sessionId, code: 0, signal: null, at: 1 };
    await host.rows('semo_publish_events', { p_seq: 1, p_events: JSON.stringify([exit]) });
    await loseHost(stage(), office);
    expect(await told(office)).toEqual([
      [exit],
      [expect.objectContaining({ name: 'status', sessionId, status: 'error' })],
    ]);
    expect(await hintOf(host.rows('semo_publish_events', { p_seq: 2, p_events: '[]' }))).toBe('lease_lost');
  });

  it('answers what is asked of it by that it is lost, and leaves it asked', async () => {
    const office = stage().office();
    const { sessionId: p_session_id } = await hostWithSession(office);
    const { command_id: id } = await office.enqueue('cancel', { p_session_id, p_command_id: 'cmd_1' });
    const results = () => office.member.rows('semo_read_results', { p_command_ids: [id] });
    expect(await results()).toEqual([]);
    await loseHost(stage(), office);
    const details = { hostId: 'h1', state: 'lost', noticed: true };
    expect(await results()).toMatchObject([
      { success: false, status: 'pending', error: { code: 'host_lost', details } },
    ]);
    expect(await hintOf(office.enqueue('cancel', { p_session_id, p_command_id: 'cmd_1' }))).toBe('host_lost');
    const back = await office.register('h1', { p_sessions: [p_session_id] });
    expect(await results()).toEqual([]);
    expect(await back.claim()).toMatchObject([{ command_id: id, attempts: 1 }]);
  });

  it('is done by one of several processes', async () => {
    const office = stage().office();
    await hostWithSession(office);
    expect(await sweep(office, { p_pause_ms: 5000 })).toMatchObject({ lost_hosts: [] });
    await stage().pass(15_000);
    await sweep(office);
    await stage().pass(GRACE_MS);
    await stage().postgres.sql(`update semo.sweeps set swept_at = semo.now() where office_id = $1`, [office.officeId]);
    expect(await sweep(office, { p_pause_ms: 5000 })).toMatchObject({ given_up_sessions: [] });
    await stage().pass(5000);
    expect((await sweep(office, { p_pause_ms: 5000 }))['given_up_sessions']).toHaveLength(1);
  });
}

function givingUp(stage: () => Stage): void {
  it('comes after the grace, ends the session for everybody, and lets nobody make it again', async () => {
    const office = stage().office();
    const { sessionId } = await hostWithSession(office);
    await loseHost(stage(), office);
    await stage().pass(GRACE_MS - 1);
    expect(await sweep(office)).toMatchObject({ given_up_sessions: [] });
    await stage().pass(1);
    expect(await sweep(office)).toMatchObject({ given_up_sessions: [sessionId] });
    expect(await sweep(office)).toMatchObject({ given_up_sessions: [] });
    expect((await told(office)).at(-1)).toMatchObject([
      { name: 'status', sessionId, status: 'terminated' },
      { name: 'exit', sessionId, code: null, signal: null },
    ]);
    const asked = office.enqueue('get_session', { p_session_id: sessionId });
    const refused = await asked.catch((error: { hint: string; detail: string }) => error);
    expect(refused).toMatchObject({ hint: 'session_terminated' });
    expect(JSON.parse(String(refused['detail']))).toMatchObject({
      givenUp: true,
      info: { sessionId, status: 'terminated', exit: null },
    });
    const again = office.enqueue('create_session', { p_session_id: sessionId });
    expect(await hintOf(again)).toBe('session_conflict');
    const spec = { agent: { kind: 'claude', resume: 'conv' } };
    await office.register('h2');
    const resumed = office.enqueue('create_session', { p_session_id: 'ses_2', p_payload: { spec } });
    expect(await hintOf(resumed)).toBe('conversation_unknown');
  });

  it('withdraws what its agent has asked, and forgets sessions that never reached a host', async () => {
    const office = stage().office();
    const { host, sessionId } = await hostWithSession(office);
    const request = { requestId: 'req_1', sessionId, turnId: 'turn_1', kind: 'question', input: {}, askedAt: 1 };
    await host.rows('semo_put_request', { p_record: { request, state: { kind: 'open' } } });
    const unmade = await office.session();
    await loseHost(stage(), office);
    await stage().pass(GRACE_MS);
    await sweep(office);
    expect((await told(office)).at(-1)?.[0]).toMatchObject({
      name: 'request_settled',
      request: { requestId: 'req_1' },
      state: { kind: 'withdrawn', why: 'session_ended' },
    });
    await office.register('h2');
    expect(await office.session({ p_session_id: unmade.sessionId })).toMatchObject({ hostId: 'h2' });
  });
}

/** Lets a host send prompts as far as that, loses it for good, and gives what is then known of the turns. */
async function turnsAfter(
  stage: Stage,
  prompts: Readonly<Record<string, (host: Host, ids: { sessionId: string; turnId: string }) => Promise<unknown>>>,
): Promise<Record<string, TurnInfo | null>> {
  const office = stage.office();
  const { host, sessionId } = await hostWithSession(office);
  for (const [turnId, carryOut] of Object.entries(prompts)) {
    await office.enqueue('send_prompt', { p_session_id: sessionId, p_payload: { turnId, prompt: 'Go.' } });
    await carryOut(host, { sessionId, turnId });
  }
  await stage.pass(15_000);
  await sweep(office);
  await stage.pass(GRACE_MS);
  await sweep(office);
  const infos: Record<string, TurnInfo | null> = {};
  for (const turnId of Object.keys(prompts)) {
    const info = await office.member.value('semo_ended_turn', { p_session_id: sessionId, p_turn_id: turnId });
    infos[turnId] = info === null ? null : turnInfoSchema.parse(info);
  }
  return infos;
}

const running = (ids: { sessionId: string; turnId: string }) => ({
  ...ids,
  state: { kind: 'running' },
  acceptedAt: 7,
  outputStart: 3,
  text: 'So far.',
  milestones: [],
  percent: 40,
  evidence: [],
});

function turns(stage: () => Stage): void {
  it('gives every turn an end, and a prompt that no host has had none', async () => {
    const unknown = { kind: 'ended', outcome: 'unknown', decidedBy: 'lost', error: { code: 'delivery_unknown' } };
    const infos = await turnsAfter(stage(), {
      turn_ended: async (host, ids) => {
        const [command] = await host.claim();
        const state = {
          kind: 'ended',
          outcome: 'completed',
          confidence: 'certain',
          decidedBy: 'agent_end',
          at: 9,
          error: null,
        };
        await host.complete(command ?? {}, running(ids));
        await host.rows('semo_report_turn', { p_turn: { ...running(ids), state } });
      },
      // Its start was never told, but its prompt was answered.
      turn_accepted: async (host, ids) => host.complete((await host.claim())[0] ?? {}, running(ids)),
      turn_running: async (host, ids) => {
        await host.complete((await host.claim())[0] ?? {}, running(ids));
        await host.rows('semo_report_turn', { p_turn: { ...running(ids), percent: 60 } });
      },
      turn_handed_out: async (host) => host.claim(),
      turn_waiting: async () => undefined,
    });
    expect(infos).toMatchObject({
      turn_ended: { state: { outcome: 'completed' } },
      turn_accepted: { state: unknown, percent: 40 },
      turn_running: { state: unknown, percent: 60, text: 'So far.' },
      turn_handed_out: { state: unknown },
      turn_waiting: null,
    });
    expect(infos['turn_running']?.state).toMatchObject({
      error: { message: expect.stringContaining('Host h1 was lost') },
    });
  });

  it('knows that a prompt which was only meant to be sent never was', async () => {
    const { turn_intent: turn } = await turnsAfter(stage(), {
      turn_intent: async (host, ids) => {
        await host.claim();
        await host.rows('semo_put_turn', { p_record: { ...ids, delivery: { kind: 'intent', intentAt: 1 } } });
      },
    });
    expect(turn).toMatchObject({
      state: { outcome: 'failed', error: { code: 'prompt_not_accepted', retryable: true } },
    });
  });
}

function comingBack(stage: () => Stage): void {
  it('in time has its sessions again, whatever time passes then', async () => {
    const office = stage().office();
    const { sessionId } = await hostWithSession(office);
    await loseHost(stage(), office);
    await stage().pass(GRACE_MS - 1);
    expect(await office.register('h1', { p_sessions: [sessionId] })).toMatchObject({ hostId: 'h1' });
    await stage().pass(10_000);
    expect(await sweep(office)).toMatchObject({ lost_hosts: [], given_up_sessions: [] });
    expect(await office.enqueue('cancel', { p_session_id: sessionId })).toMatchObject({ status: 'pending' });
  });

  it('too late is told what to end, and heard of nothing else of it', async () => {
    const office = stage().office();
    const { host: lost, sessionId } = await hostWithSession(office);
    const other = (await office.session()).sessionId;
    for (const command of await lost.claim()) await lost.complete(command, infoOf(other));
    const ids = { sessionId, turnId: newId('turn') };
    await lost.rows('semo_report_turn', { p_turn: running(ids) });
    await loseHost(stage(), office);
    await stage().pass(GRACE_MS);
    await sweep(office);
    const registering = () => office.hostClient('h1').row('semo_register_host', { p_protocol: 1, p_capacity: 10 });
    expect((await registering())['left_behind']).toEqual(expect.arrayContaining([sessionId, other]));
    const back = await office.register('h1', { p_sessions: [sessionId, other] });
    const state = { kind: 'ended', outcome: 'completed', at: 9 };
    const turn = { name: 'turn', sessionId, change: 'ended', turn: { ...running(ids), state } };
    const gone = { name: 'status', sessionId, status: 'terminated', at: 10 };
    const news = { name: 'exit', sessionId: 'ses_new', code: 0, signal: null, at: 11 };
    await back.rows('semo_publish_events', { p_seq: 1, p_events: JSON.stringify([turn, gone, news]) });
    expect((await told(office)).at(-1)).toEqual([news]);
    const verdict = await office.member.value('semo_ended_turn', { p_session_id: sessionId, p_turn_id: ids.turnId });
    expect(verdict).toMatchObject({ state: { outcome: 'unknown' } });
    expect((await registering())['left_behind']).toEqual([other]);
    for (const [name, args] of [
      ['semo_put_turn', { p_record: { ...ids, turnId: 'turn_2', delivery: { kind: 'intent', intentAt: 1 } } }],
      ['semo_report_turn', { p_turn: running({ sessionId, turnId: 'turn_2' }) }],
      ['semo_advance_turn', { p_session_id: sessionId, p_turn_id: 'turn_2', p_step: { kind: 'submitted', at: 1 } }],
    ] as const) {
      const epoch = await stage().postgres.sql('select epoch from session_hosts where office_id = $1', [
        office.officeId,
      ]);
      const call = office.hostClient('h1').rows(name, { ...args, p_epoch: epoch[0]?.['epoch'] });
      expect([name, await hintOf(call)]).toEqual([name, 'session_terminated']);
    }
  });
}
