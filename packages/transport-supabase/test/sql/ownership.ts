import { beforeEach, describe, expect, it } from 'vitest';

import { TABLES } from './exposed.ts';
import { hintOf, type Arguments, type Host, type Office, type Stage } from './stage.ts';

/** What a host may say: of its own sessions only, be it with the honest token of another host of the same office. */
export function describeOwnership(stage: () => Stage): void {
  describe('what is another host’s', () => {
    let scene: Scene;
    beforeEach(async () => {
      scene = await furnished(stage());
    });
    const given = (): Scene => scene;
    writing(given);
    telling(given);
    answering(given);
    reading(stage, given);
    conversations(given);
    unplaced(given);
  });
}

/** A session of h1 with a turn that runs and a request that waits, and a host that has no business with it. */
interface Scene {
  readonly office: Office;
  readonly owner: Host;
  readonly other: Host;
  readonly sessionId: string;
  /** All there is of the office. */
  readonly snapshot: () => Promise<unknown>;
}

const END = { kind: 'ended', outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end', at: 9, error: null };
const turnOf = (sessionId: string, turnId: string, state: object = { kind: 'running' }) => ({
  sessionId,
  turnId,
  state,
  acceptedAt: 1,
});
const recordOf = (sessionId: string, turnId: string) => ({
  sessionId,
  turnId,
  delivery: { kind: 'ended', intentAt: 1, endedAt: 9, turn: turnOf(sessionId, turnId, END) },
});
const requestOf = (sessionId: string, requestId: string) => ({
  requestId,
  sessionId,
  turnId: 'turn_1',
  kind: 'permission',
  askedAt: 1,
});
const infoOf = (sessionId: string, conversationId?: string) => ({
  sessionId,
  status: 'executing',
  createdAt: 1,
  agent: { kind: 'claude', conversationId },
});
const status = (sessionId: string) => ({ name: 'status', sessionId, status: 'terminated', at: 9 });

async function furnished(stage: Stage): Promise<Scene> {
  const office = stage.office();
  const [owner, other] = [await office.register('h1'), await office.register('h2')];
  const { sessionId } = await office.session({ p_host_id: 'h1' });
  await owner.rows('semo_report_session', { p_info: infoOf(sessionId, 'conv') });
  await owner.rows('semo_put_turn', {
    p_record: { ...turnOf(sessionId, 'turn_1'), delivery: { kind: 'intent', intentAt: 1 } },
  });
  await owner.rows('semo_report_turn', { p_turn: turnOf(sessionId, 'turn_1') });
  await owner.rows('semo_put_request', {
    p_record: { request: requestOf(sessionId, 'req_1'), state: { kind: 'open' } },
  });
  const snapshot = async (): Promise<unknown> => {
    const select = (table: string) =>
      stage.postgres.sql(`select * from public.${table} where office_id = $1 order by 1, 2`, [office.officeId]);
    return Promise.all(TABLES.map(async (table) => [table, await select(table)]));
  };
  return { office, owner, other, sessionId, snapshot };
}

function publish(host: Host, seq: number, events: readonly object[]): Promise<unknown> {
  return host.rows('semo_publish_events', { p_seq: seq, p_events: JSON.stringify(events) });
}

async function told(office: Office): Promise<unknown[]> {
  const rows = await office.member.rows('semo_read_events', { p_after: '{}' });
  return rows.flatMap(({ events }) => events as unknown[]);
}

function writing(given: () => Scene): void {
  it('is not written', async () => {
    const { other, sessionId, snapshot } = given();
    const before = await snapshot();
    const refused: readonly (readonly [string, Arguments])[] = [
      ['semo_put_turn', { p_record: recordOf(sessionId, 'turn_1') }],
      ['semo_put_turn', { p_record: recordOf(sessionId, 'turn_of_tomorrow') }],
      ['semo_report_turn', { p_turn: turnOf(sessionId, 'turn_1', END) }],
      ['semo_report_turn', { p_turn: turnOf(sessionId, 'turn_of_tomorrow', END) }],
      ['semo_put_request', { p_record: { request: requestOf(sessionId, 'req_2'), state: { kind: 'open' } } }],
      ['semo_report_session', { p_info: infoOf(sessionId) }],
      ['semo_put_session', { p_record: { sessionId, info: infoOf(sessionId) } }],
    ];
    for (const [name, args] of refused)
      expect([name, await hintOf(other.rows(name, args))]).toEqual([name, 'session_conflict']);
    const turn = { p_session_id: sessionId, p_turn_id: 'turn_1' };
    const p_step = { kind: 'ended', at: 9, turn: turnOf(sessionId, 'turn_1', END) };
    expect(await other.value('semo_advance_turn', { ...turn, p_step })).toBe(false);
    const p_state = { kind: 'answered', at: 9, answer: { behavior: 'allow' } };
    expect(await other.value('semo_settle_request', { p_request_id: 'req_1', p_state })).toBe(false);
    expect(await other.value('semo_give_request', { p_request_id: 'req_1', p_given_at: 9 })).toBe(false);
    await other.rows('semo_forget_turn', turn);
    expect(await snapshot()).toEqual(before);
  });
}

function telling(given: () => Scene): void {
  it('is not told to offices, and hides nothing that is its own', async () => {
    const { office, owner, other, sessionId, snapshot } = given();
    const { sessionId: own } = await office.session({ p_host_id: 'h2' });
    await publish(other, 1, []);
    const before = await snapshot();
    const request = requestOf(sessionId, 'req_2');
    const settled = { kind: 'answered', at: 9, answer: { behavior: 'allow' } };
    const output = (of: string) => ({ name: 'output', sessionId: of, offset: 0, base64: 'eA==', at: 9 });
    const theirs = [
      { name: 'turn', change: 'ended', sessionId, turn: turnOf(sessionId, 'turn_1', END), at: 9 },
      { name: 'turn', change: 'ended', sessionId: own, turn: turnOf(sessionId, 'turn_1', END), at: 9 },
      { name: 'turn', change: 'ended', sessionId, turn: turnOf(own, 'turn_1', END), at: 9 },
      status(sessionId),
      output(sessionId),
      { name: 'retiring', sessionId, at: 9 },
      { name: 'exit', sessionId, code: 0, signal: null, at: 9 },
      { name: 'request', request, at: 9 },
      { name: 'request_settled', request: requestOf(sessionId, 'req_1'), state: settled, at: 9 },
      // Of a session of its own, and yet not its own.
      { name: 'request', request: requestOf(own, 'req_1'), at: 9 },
      { name: 'request_settled', request: requestOf(own, 'req_1'), state: settled, at: 9 },
    ];
    const p_events = JSON.stringify([output(own), ...theirs, output(own)]);
    const p_infos = JSON.stringify([infoOf(sessionId)]);
    await other.rows('semo_publish_events', { p_seq: 2, p_events, p_infos });
    expect(await told(office)).toEqual([output(own), output(own)]);
    expect(await snapshot()).toEqual(before);
    await publish(owner, 1, [status(sessionId)]);
    expect(await told(office)).toContainEqual(status(sessionId));
  });
}

function answering(given: () => Scene): void {
  it('is in no list of what a host has', async () => {
    const { office, other, sessionId } = given();
    const { sessionId: own } = await office.session({ p_host_id: 'h2' });
    for (const command of await other.claim()) await other.complete(command, infoOf(own));
    const answerOf = async (kind: string, answer: readonly object[]) => {
      const { command_id: id } = await office.enqueue(kind, { p_host_id: 'h2' });
      for (const command of await other.claim()) await other.complete(command, answer);
      return (await office.member.row('semo_get_command', { p_command_id: id }))['result'];
    };
    const [mine, local] = [infoOf(own), infoOf('ses_local')];
    expect(await answerOf('list_sessions', [mine, infoOf(sessionId), local])).toEqual([mine, local]);
    const open = (of: string, requestId: string) => ({ ...requestOf(of, requestId), session: 'alive' });
    const asks = open(own, 'req_2');
    expect(await answerOf('list_requests', [open(sessionId, 'req_1'), asks, open(own, 'req_1')])).toEqual([asks]);
  });
}

function reading(stage: () => Stage, given: () => Scene): void {
  it('counts for no verdict, should a row of it be there', async () => {
    const { office, owner, other, sessionId } = given();
    await owner.rows('semo_report_turn', { p_turn: turnOf(sessionId, 'turn_1', END) });
    const ended = () => office.member.value('semo_ended_turn', { p_session_id: sessionId, p_turn_id: 'turn_1' });
    expect(await ended()).toMatchObject({ state: END });
    const { postgres } = stage();
    await postgres.sql(`update public.agent_turns set host_id = $2 where office_id = $1`, [
      office.officeId,
      other.hostId,
    ]);
    expect(await ended()).toBeNull();
  });
}

function conversations(given: () => Scene): void {
  it('is no conversation to be taken', async () => {
    const { office, owner, other, sessionId } = given();
    await other.rows('semo_report_session', { p_info: infoOf('ses_local', 'conv') });
    await other.rows('semo_put_session', {
      p_record: { sessionId: 'ses_kept', conversationId: 'conv', info: infoOf('ses_kept', 'conv') },
    });
    await other.rows('semo_report_session', { p_info: infoOf('ses_local', 'conv_of_h2') });
    await other.rows('semo_report_session', { p_info: infoOf('ses_local', 'conv') });
    const kept = await office.member.select(
      `select session_id, conversation_id from agent_sessions order by conversation_id, session_id`,
    );
    expect(kept).toEqual([
      { session_id: sessionId, conversation_id: 'conv' },
      { session_id: 'ses_local', conversation_id: 'conv_of_h2' },
      { session_id: 'ses_kept', conversation_id: null },
    ]);
    const resumed = (resume: string) => office.session({ p_payload: { spec: { agent: { kind: 'claude', resume } } } });
    expect((await resumed('conv')).hostId).toBe('h1');
    expect((await resumed('conv_of_h2')).hostId).toBe('h2');
    // Its own host goes on with it in another session.
    await owner.rows('semo_report_session', { p_info: infoOf('ses_next', 'conv') });
    const next = await office.member.select(`select conversation_id from agent_sessions where session_id = 'ses_next'`);
    expect(next).toEqual([{ conversation_id: 'conv' }]);
  });
}

function unplaced(given: () => Scene): void {
  it('is what a host was the first to speak of, where no office has placed it', async () => {
    const { office, owner, other } = given();
    const first: Readonly<Record<string, (host: Host, sessionId: string) => Promise<unknown>>> = {
      ses_told: (host, sessionId) => publish(host, 1, [{ ...status(sessionId), status: 'ready' }]),
      ses_reported: (host, sessionId) => host.rows('semo_report_session', { p_info: infoOf(sessionId) }),
      ses_asking: (host, sessionId) =>
        host.rows('semo_put_request', {
          p_record: { request: requestOf(sessionId, `req_${sessionId}`), state: { kind: 'open' } },
        }),
      ses_working: (host, sessionId) => host.rows('semo_put_turn', { p_record: recordOf(sessionId, 'turn_1') }),
    };
    for (const [sessionId, speak] of Object.entries(first)) {
      await speak(other, sessionId);
      const taken = hintOf(owner.rows('semo_report_session', { p_info: infoOf(sessionId) }));
      expect([sessionId, await taken]).toEqual([sessionId, 'session_conflict']);
      // What it is, nobody here has asked for; so it is not what is to be made.
      const made = hintOf(office.session({ p_session_id: sessionId }));
      expect([sessionId, await made]).toEqual([sessionId, 'session_conflict']);
    }
    await publish(owner, 1, Object.keys(first).map(status));
    expect(await told(office)).toEqual([{ ...status('ses_told'), status: 'ready' }]);
    await publish(other, 2, [status('ses_told'), status('no session id')]);
    expect((await told(office)).slice(1)).toEqual([status('ses_told')]);
    // A last word of what has been forgotten.
    await publish(other, 3, [{ name: 'exit', sessionId: 'ses_over', at: 1 }]);
    expect(await told(office)).toHaveLength(3);
    expect(await office.member.select(`select from agent_sessions where session_id = 'ses_over'`)).toEqual([]);
  });
}
