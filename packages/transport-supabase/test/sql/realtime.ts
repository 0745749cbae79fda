import { beforeEach, describe, expect, it } from 'vitest';

import { semoClaims, type Office, type Stage } from './stage.ts';

/** Who is woken up by what, and who may listen. */
export function describeRealtime(stage: () => Stage): void {
  describe('wake-ups', () => {
    wakeUps(stage);
  });
  describe('channels', () => {
    channels(stage);
  });
}

function wakeUps(stage: () => Stage): void {
  /** What was sent for an office since this was last asked, without the server's own ids. */
  const sentFor = (office: Office) => async (): Promise<unknown[]> => {
    const rows = await stage().postgres.sql(
      `with sent as (delete from realtime.messages where topic like 'office:' || $1 || ':%' returning *)
       select topic, event, payload - 'id' || jsonb_build_object('id', payload ->> 'id') as payload, private, extension
       from sent order by inserted_at, topic, event`,
      [office.officeId],
    );
    return rows.map(({ topic, event, payload, private: isPrivate, extension }) => {
      expect([isPrivate, extension]).toEqual([true, 'broadcast']);
      return [String(topic).replace(office.officeId, 'O'), event, payload];
    });
  };

  it('wakes the host of a command, and nobody else, and tells no content', async () => {
    const office = stage().office();
    const sent = sentFor(office);
    const host = await office.register('h1');
    await office.register('h2');
    await sent();
    const { sessionId } = await office.session({ p_host_id: 'h1', p_command_id: 'cmd_1' });
    expect(await sent()).toEqual([['office:O:commands:h1', 'command', { id: 'cmd_1', session_id: sessionId, seq: 1 }]]);
    await office.session({ p_session_id: sessionId, p_command_id: 'cmd_1' }).catch(() => undefined);
    const [command] = await host.claim();
    expect(await sent()).toEqual([]);
    await host.complete(command ?? {});
    expect(await sent()).toEqual([['office:O:events', 'result', { id: 'cmd_1', session_id: sessionId, seq: 1 }]]);
  });

  it('wakes it again when a dead command is handed out again', async () => {
    const office = stage().office();
    const sent = sentFor(office);
    const host = await office.register('h1');
    const { sessionId } = await office.session({ p_command_id: 'cmd_1', p_expires_ms: 100 });
    await host.claim({ p_lease_ms: 100 });
    await stage().pass(100);
    await sent();
    await office.server.row('semo_sweep');
    const events = [
      ['office:O:events', 'result', { id: 'cmd_1', session_id: sessionId, seq: 1 }],
      ['office:O:events', 'session', { id: sessionId, session_id: sessionId, seq: 1 }],
    ];
    expect(await sent()).toEqual(expect.arrayContaining(events));
    await office.server.rows('semo_requeue_command', { p_command_id: 'cmd_1' });
    expect(await sent()).toEqual([
      ['office:O:commands:h1', 'command', { id: 'cmd_1', session_id: sessionId, seq: 1 }],
      // Its session is to be made after all.
      ['office:O:events', 'session', { id: sessionId, session_id: sessionId, seq: 2 }],
    ]);
  });

  it('tells the office of hosts, sessions, turns and requests, each time with a higher number', async () => {
    const office = stage().office();
    const sent = sentFor(office);
    const host = await office.register('h1');
    const epoch = Number(host.epoch);
    expect(await sent()).toEqual([['office:O:events', 'host', { id: 'h1', session_id: null, seq: epoch }]]);
    const ids = { sessionId: 'ses_1', turnId: 'turn_1' };
    const announced = async (name: string, args: Record<string, unknown>) => {
      await host.rows(name, args);
      return sent();
    };
    const told = (event: string, id: string, seq: number) => [
      ['office:O:events', event, { id, session_id: 'ses_1', seq }],
    ];
    const session = (status: string) => announced('semo_report_session', { p_info: { ...ids, status, createdAt: 1 } });
    expect(await session('ready')).toEqual(told('session', 'ses_1', 1));
    // Nothing has changed that anybody waits for.
    expect(await session('ready')).toEqual([]);
    expect(await session('executing')).toEqual(told('session', 'ses_1', 3));
    const turn = (state: object) => announced('semo_report_turn', { p_turn: { ...ids, acceptedAt: 1, state } });
    expect(await turn({ kind: 'running' })).toEqual(told('turn', 'turn_1', 1));
    expect(await turn({ kind: 'ended', outcome: 'completed', at: 2 })).toEqual(told('turn', 'turn_1', 2));
    const request = { requestId: 'req_1', ...ids, kind: 'question', askedAt: 1 };
    const put = { p_record: { request, state: { kind: 'open' } } };
    expect(await announced('semo_put_request', put)).toEqual(told('request', 'req_1', 1));
    const settled = { p_request_id: 'req_1', p_state: { kind: 'expired', at: 2 } };
    expect(await announced('semo_settle_request', settled)).toEqual(told('request', 'req_1', 2));
    const lost = await announced('semo_sign_off_host', {});
    expect(lost).toEqual(expect.arrayContaining(told('session', 'ses_1', 4)));
  });
}

function channels(stage: () => Stage): void {
  let office: Office;
  let other: Office;
  beforeEach(() => {
    office = stage().office();
    other = stage().office();
  });

  /** As the Realtime server asks: whether a row of that channel may be seen, and whether one may be written. */
  async function may(
    semo: Record<string, unknown>,
    topic: string,
    extension = 'broadcast',
  ): Promise<{ hear: boolean; send: boolean }> {
    const { postgres } = stage();
    await postgres.sql(
      `insert into realtime.messages (topic, extension, private) select $1::text, $2::text, true
       where not exists (select from realtime.messages where topic = $1 and extension = $2)`,
      [topic, extension],
    );
    const caller = { role: 'authenticated' as const, claims: semoClaims(semo) };
    const inTopic = `select set_config('realtime.topic', '${topic}', true)`;
    const heard = await postgres.sqlAs(
      caller,
      `with channel as materialized (${inTopic}) select m.* from channel, realtime.messages m
       where m.topic = '${topic}' and m.extension = '${extension}'`,
    );
    const sent = postgres.sqlAs(
      caller,
      `with channel as materialized (${inTopic})
       insert into realtime.messages (topic, extension, private) select '${topic}', '${extension}', true from channel`,
    );
    const send = await sent.then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: '42501' });
        return false;
      },
    );
    return { hear: heard.length > 0, send };
  }

  it('lets a host hear its own commands, and send nothing past the tables', async () => {
    const host = { role: 'host', office_id: office.officeId, host_id: 'h1' };
    const topic = `office:${office.officeId}`;
    expect(await may(host, `${topic}:commands:h1`)).toEqual({ hear: true, send: false });
    expect(await may(host, `${topic}:events`)).toEqual({ hear: false, send: false });
    expect(await may(host, `${topic}:commands:h2`)).toEqual({ hear: false, send: false });
    expect(await may(host, `${topic}:commands`)).toEqual({ hear: false, send: false });
    expect(await may(host, 'anything')).toEqual({ hear: false, send: false });
    expect(await may(host, `${topic}:commands:h1`, 'presence')).toEqual({ hear: false, send: false });
    expect(await may(host, `${topic}:events`, 'presence')).toEqual({ hear: false, send: false });
  });

  it('lets an office hear its events, and send nothing past the tables', async () => {
    const member = { role: 'office', office_id: office.officeId };
    const topic = `office:${office.officeId}`;
    expect(await may(member, `${topic}:events`)).toEqual({ hear: true, send: false });
    expect(await may(member, `${topic}:commands:h1`)).toEqual({ hear: false, send: false });
  });

  it('lets nobody hear or send anything of another office', async () => {
    for (const semo of [
      { role: 'host', office_id: other.officeId, host_id: 'h1' },
      { role: 'office', office_id: other.officeId },
      { role: 'host', office_id: `${other.officeId}:events`, host_id: 'h1' },
      { office_id: office.officeId, host_id: 'h1' },
      {},
    ])
      for (const topic of [`office:${office.officeId}:events`, `office:${office.officeId}:commands:h1`])
        expect({ semo, topic, ...(await may(semo, topic)) }).toEqual({ semo, topic, hear: false, send: false });
  });
}
