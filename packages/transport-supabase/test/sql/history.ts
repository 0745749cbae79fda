import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';

import { callOf, type Arguments, type Host, type Office, type Stage } from './stage.ts';

/** So many rows of each table are over before anything is asked once more. */
const HISTORY = 2000;
/** From then on a connection keeps a statement's plan, and these are made while the tables are empty. */
const CALLS_UNTIL_PLANNED = 6;

const INFO = { sessionId: 'ses_1', status: 'ready', createdAt: 1 };
const TURN = { sessionId: 'ses_1', turnId: 'turn_1', state: { kind: 'running' }, acceptedAt: 1 };
const REQUEST = { requestId: 'req_9', sessionId: 'ses_1', turnId: 'turn_1', kind: 'question', askedAt: 1 };
const OPEN = { kind: 'get_output', sessionId: 'ses_1' };
const LEASE = { p_job_id: 'job_held', p_owner: 'one', p_fence: 1 };
const EVENTS = [
  { name: 'status', sessionId: 'ses_1', status: 'ready' },
  { name: 'turn', change: 'started', turn: TURN },
  { name: 'request', request: REQUEST },
  { name: 'request_settled', request: { ...REQUEST, requestId: 'req_1' }, state: { kind: 'expired', at: 2 } },
];

/** What is asked all day long, and when hosts come and go. */
const CALLS: readonly (readonly [name: string, args: Arguments])[] = [
  ['semo_register_host', { p_protocol: 1, p_capacity: 10, p_sessions: ['ses_1'] }],
  ['semo_register_host', { p_protocol: 1, p_capacity: 10, p_sessions: [] }],
  ['semo_sign_off_host', {}],
  ['semo_heartbeat_host', { p_commands: ['cmd_held'] }],
  ['semo_enqueue_command', { p_command_id: 'cmd_new', p_kind: 'send_prompt', p_session_id: 'ses_1', p_payload: {} }],
  ['semo_enqueue_command', { p_command_id: 'cmd_open', p_kind: 'get_output', p_session_id: 'ses_1', p_payload: OPEN }],
  [
    'semo_enqueue_command',
    { p_command_id: 'cmd_make', p_kind: 'create_session', p_session_id: 'ses_2', p_payload: {} },
  ],
  ['semo_enqueue_command', { p_command_id: 'cmd_answer', p_kind: 'answer_request', p_payload: { requestId: 'req_1' } }],
  ['semo_requeue_command', { p_command_id: 'cmd_dead' }],
  ['semo_claim_commands', { p_limit: 16 }],
  ['semo_claim_commands', { p_limit: 16, p_held: [] }],
  ['semo_complete_command', { p_command_id: 'cmd_held', p_result: {} }],
  ['semo_fail_command', { p_command_id: 'cmd_held', p_error: { code: 'internal' } }],
  ['semo_read_results', { p_command_ids: ['cmd_done', 'cmd_held', 'cmd_open', 'cmd_unknown'] }],
  ['semo_get_command', { p_command_id: 'cmd_done' }],
  ['semo_withdraw_command', { p_command_id: 'cmd_open' }],
  ['semo_dead_commands', {}],
  ['semo_put_session', { p_record: { sessionId: 'ses_1', info: INFO } }],
  ['semo_report_session', { p_info: INFO }],
  ['semo_report_session', { p_info: { ...INFO, agent: { conversationId: 'conv_new' } } }],
  ['semo_put_turn', { p_record: { ...TURN, delivery: { kind: 'intent', intentAt: 1 } } }],
  ['semo_report_turn', { p_turn: TURN }],
  ['semo_advance_turn', { p_session_id: 'ses_1', p_turn_id: 'turn_1', p_step: { kind: 'accepted', at: 2 } }],
  ['semo_forget_turn', { p_session_id: 'ses_1', p_turn_id: 'turn_1' }],
  ['semo_ended_turn', { p_session_id: 'ses_1', p_turn_id: 'turn_1' }],
  ['semo_put_request', { p_record: { request: REQUEST, state: { kind: 'open' } } }],
  ['semo_settle_request', { p_request_id: 'req_1', p_state: { kind: 'expired', at: 2 } }],
  ['semo_give_request', { p_request_id: 'req_1', p_given_at: 2 }],
  ['semo_publish_events', { p_seq: 2, p_events: JSON.stringify(EVENTS), p_infos: JSON.stringify([INFO]) }],
  ['semo_event_heads', {}],
  ['semo_read_events', { p_after: JSON.stringify({ h1: [1_000_000, 0] }) }],
  ['semo_sweep', {}],
  ['semo_sweep', { p_grace_ms: 0 }],
  ['semo_put_job', { p_spec: { jobId: 'job_new', priority: 0 } }],
  ['semo_get_job', { p_job_id: 'job_1' }],
  ['semo_claim_job', { p_owner: 'one', p_lease_ms: 1000 }],
  ['semo_renew_job', { ...LEASE, p_lease_ms: 1000 }],
  ['semo_change_job', { ...LEASE, p_change: { kind: 'started' } }],
  ['semo_list_jobs', { p_states: ['queued', 'running'] }],
  ['semo_cancel_job', { p_job_id: 'job_1' }],
];

/** Whatever has gone before costs nothing, also where a connection has planned its statements while there was nothing. */
export function describeHistory(stage: () => Stage): void {
  describe('history', () => {
    let before: readonly number[] = [];
    let after: readonly number[] = [];
    const pruning: number[] = [];
    let forgotten: unknown;

    beforeAll(async () => {
      const office = stage().office();
      const host = await office.register('h1');
      await dieOnce(stage(), office, host);
      const held = await beginWork(office, host);
      await beginLoss(office);
      await addOld(stage(), office);
      await using reader = await readerFor(stage(), host, held);
      const readAll = async (): Promise<number[]> => {
        const reads: number[] = [];
        for (const [name, args] of CALLS) reads.push(await reader.readsOf(name, args));
        return reads;
      };
      const prune = async () => {
        const jobs = await reader.readsOf('semo_prune_jobs', { p_ended_before: 1 });
        pruning.push(jobs + (await reader.readsOf('semo_prune', {})));
      };
      for (let call = 0; call < CALLS_UNTIL_PLANNED; call += 1) {
        before = await readAll();
        await prune();
      }
      await addHistory(stage(), office);
      after = await readAll();
      await prune();
      forgotten = await office.member.value('semo_prune');
    });

    it('is there, and rows are counted', () => {
      expect(before.filter((reads) => reads > 0).length).toBeGreaterThan(CALLS.length / 2);
    });

    it.each(CALLS.map(([name], index) => ({ name, index })))('$name reads no more rows for it', ({ index }) => {
      expect(after[index]).toBe(before[index]);
    });

    it('is not read through for what of it is old enough to be forgotten', () => {
      // It is planned anew each time, so it may read less than while there was nothing. Some of it is old enough.
      expect(forgotten).toBe(2);
      expect(pruning.at(-1)).toBeLessThanOrEqual(pruning[0] ?? 0);
    });
  });
}

/** A command of the session that nobody has answered in time. */
async function dieOnce(stage: Stage, office: Office, host: Host): Promise<void> {
  await host.rows('semo_report_session', { p_info: INFO });
  await office.enqueue('send_prompt', { p_command_id: 'cmd_dead', p_session_id: 'ses_1', p_expires_ms: 1 });
  await host.claim({ p_lease_ms: 1 });
  await stage.pass(1);
  await office.server.row('semo_sweep');
}

/** A session that is there, with a command in each state. Gives the one that is being carried out. */
async function beginWork(office: Office, host: Host): Promise<Arguments> {
  await host.rows('semo_put_turn', { p_record: { ...TURN, delivery: { kind: 'intent', intentAt: 1 } } });
  const request = { ...REQUEST, requestId: 'req_1' };
  await host.rows('semo_put_request', { p_record: { request, state: { kind: 'open' } } });
  await host.rows('semo_publish_events', { p_seq: 1, p_events: '[]' });
  await office.member.rows('semo_put_job', { p_spec: { jobId: 'job_1', priority: 0 } });
  const spec = { jobId: LEASE.p_job_id, priority: 0 };
  await office.member.rows('semo_put_job', { p_spec: spec, p_owner: LEASE.p_owner, p_lease_ms: 1000 });
  const ask = (p_command_id: string) => office.enqueue('get_output', { p_command_id, p_session_id: 'ses_1' });
  await ask('cmd_done');
  for (const command of await host.claim()) await host.complete(command);
  await ask('cmd_held');
  const [held] = await host.claim();
  await ask('cmd_open');
  return { p_lease_token: held?.['lease_token'] };
}

/** A host whose lease is over, unnoticed as yet, with a session that was at work. */
async function beginLoss(office: Office): Promise<void> {
  const sessionId = 'ses_lost';
  const host = await office.register('h2', { p_lease_ms: 0 });
  await host.rows('semo_report_session', { p_info: { ...INFO, sessionId } });
  await host.rows('semo_report_turn', { p_turn: { ...TURN, sessionId } });
  const request = { ...REQUEST, requestId: 'req_lost', sessionId };
  await host.rows('semo_put_request', { p_record: { request, state: { kind: 'open' } } });
  const ask = (turnId: string) =>
    office.enqueue('send_prompt', { p_command_id: turnId, p_session_id: sessionId, p_payload: { turnId } });
  await ask('answered');
  for (const command of await host.claim()) await host.complete(command, { turnId: 'answered' });
  await ask('unanswered');
  await host.claim();
  await ask('unclaimed');
}

interface Reader extends AsyncDisposable {
  /** How many rows of our tables a call looks at. Nothing of it stays. */
  readsOf(name: string, args: Arguments): Promise<number>;
}

const ROWS_READ = `
  select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as reads from pg_stat_xact_user_tables
  where schemaname in ('public', 'semo') and relname <> 'test_clock'`;

/** One connection, since plans are kept by connection. */
async function readerFor({ postgres }: Stage, { officeId, hostId, epoch }: Host, held: Arguments): Promise<Reader> {
  const client = new Client(postgres.connection('authenticator'));
  await client.connect();
  await client.query(`set role service_role; set request.jwt.claims = '{"role": "service_role"}'`);
  const known: Arguments = { p_office_id: officeId, p_host_id: hostId, p_epoch: epoch, ...held };
  const parameters = await client.query<{ readonly name: string; readonly names: string[] }>(
    `select proname as name, proargnames as names from pg_proc where pronamespace = 'public'::regnamespace`,
  );
  const namesOf = new Map(parameters.rows.map(({ name, names }) => [name, new Set(names)]));
  const readSoFar = async (): Promise<number> => {
    const { rows } = await client.query<{ readonly reads: number }>(ROWS_READ);
    return rows[0]?.reads ?? Number.NaN;
  };
  return {
    async readsOf(name, args) {
      const taken = Object.entries(known).filter(([argument]) => namesOf.get(name)?.has(argument));
      const isAnybodys = name === 'semo_enqueue_command';
      const own = Object.fromEntries(taken.filter(([argument]) => !isAnybodys || argument === 'p_office_id'));
      await client.query('begin');
      const before = await readSoFar();
      await client.query(callOf(name, { ...own, ...args }));
      const reads = (await readSoFar()) - before;
      await client.query('rollback');
      return reads;
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** A session that is old enough to be forgotten, with a turn that never ended. */
function addOld(stage: Stage, office: Office): Promise<void> {
  const old = 'semo.after_ms(-8 * 24 * 3600000)';
  return insertAll(stage, office, [
    `public.agent_sessions (office_id, session_id, host_id, status, ended_at) select $1, 'ses_old', 'h1', 'terminated', ${old}`,
    `public.agent_turns (office_id, session_id, turn_id, host_id, host_epoch, state, info, updated_at)
     select $1, 'ses_old', 'turn_old', 'h1', 1, 'running', '{}', ${old}`,
  ]);
}

/** What is over, and not old enough to be forgotten. */
function addHistory(stage: Stage, office: Office): Promise<void> {
  const over = `from generate_series(1, ${HISTORY}) n`;
  const session = `case n % 2 when 0 then 'ses_1' else 'ses_over_' || n % 100 end`;
  return insertAll(stage, office, [
    `public.agent_sessions 
       (office_id, session_id, host_id, status, info, ended_at, ended_ms, given_up_at, conversation_id)
     select $1, 'ses_over_' || n, 'h1', 'terminated', '{}', semo.now(), 1, semo.now(), 'conv_' || n ${over}`,
    `public.agent_commands (office_id, command_id, session_id, host_id, kind, lane, seq, status, expires_at, ended_at)
     select $1, 'over_' || n, ${session}, 'h1', 'send_prompt', 'turn', n + 1000, 'completed', semo.now(), semo.now() ${over}`,
    `public.agent_command_results (office_id, command_id, session_id, host_id, success)
     select $1, 'over_' || n, ${session}, 'h1', true ${over}`,
    `public.agent_turns (office_id, session_id, turn_id, host_id, host_epoch, state, info, ended_ms)
     select $1, ${session}, 'over_' || n, 'h1', 1, 'ended', '{}', semo.to_ms(semo.now()) ${over}`,
    `public.agent_requests
       (office_id, request_id, session_id, turn_id, host_id, host_epoch, kind, state, record, asked_ms, settled_ms)
     select $1, 'over_' || n, ${session}, 'over', 'h1', 1, 'question', 'answered', '{}', 1, semo.to_ms(semo.now()) ${over}`,
    `public.agent_jobs (office_id, job_id, spec, state, ended_at, result, priority, submitted_at)
     select $1, 'over_' || n, '{}', 'ended', semo.now(), '{}', 0, semo.after_ms(-n) ${over}`,
    `semo.event_batches (office_id, host_id, epoch, seq, events) select $1, 'h1', 0, n, '[]' ${over}`,
  ]);
}

/** By a way that tells nobody, and that makes no connection plan anything anew. */
async function insertAll({ postgres }: Stage, { officeId }: Office, rows: readonly string[]): Promise<void> {
  const client = new Client(postgres.connection('supabase_admin'));
  await client.connect();
  await client.query('set session_replication_role = replica');
  for (const text of rows) await client.query(`insert into ${text}`, [officeId]);
  await client.end();
}
