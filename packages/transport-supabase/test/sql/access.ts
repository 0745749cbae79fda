import { beforeAll, describe, expect, it } from 'vitest';

import { semoClaims, type Client, type Office, type Stage } from './stage.ts';

const TABLES = [
  'agent_command_results',
  'agent_commands',
  'agent_jobs',
  'agent_requests',
  'agent_sessions',
  'agent_turns',
  'session_hosts',
];

const OFFICE_FUNCTIONS = [
  'semo_cancel_job',
  'semo_change_job',
  'semo_claim_job',
  'semo_ended_turn',
  'semo_enqueue_command',
  'semo_event_heads',
  'semo_get_command',
  'semo_get_job',
  'semo_list_jobs',
  'semo_mark_job_reported',
  'semo_prune',
  'semo_prune_jobs',
  'semo_put_job',
  'semo_read_events',
  'semo_read_results',
  'semo_renew_job',
  'semo_reopen_job',
  'semo_requeue_command',
  'semo_sweep',
  'semo_withdraw_command',
];

const HOST_FUNCTIONS = [
  'semo_advance_turn',
  'semo_claim_commands',
  'semo_complete_command',
  'semo_fail_command',
  'semo_forget_turn',
  'semo_give_request',
  'semo_heartbeat_host',
  'semo_prune_requests',
  'semo_prune_sessions',
  'semo_publish_events',
  'semo_put_request',
  'semo_put_session',
  'semo_put_turn',
  'semo_register_host',
  'semo_report_session',
  'semo_report_turn',
  'semo_settle_request',
  'semo_sign_off_host',
];

/** Of a host by itself, and of the office for any of its hosts. */
const SHARED_FUNCTIONS = ['semo_drain_host'];

const FUNCTIONS = [...OFFICE_FUNCTIONS, ...HOST_FUNCTIONS, ...SHARED_FUNCTIONS];

/** What strangers may do, from a list of grants. */
const granted = (list: string, owner: string): string =>
  `select case when grantee = 0 then 'public' else grantee::regrole::text end collate "C" as who, privilege_type
   from aclexplode(${list}) where grantee <> ${owner}`;

/** Who may do what: by the catalogue, and by trying. */
export function describeAccess(stage: () => Stage): void {
  describe('grants', () => grants(stage));
  describe('isolation', () => isolation(stage));
}

function grants(stage: () => Stage): void {
  it('lets tables be read by who has a token, and be written by nobody', async () => {
    const rows = await stage().postgres.sql(`
      select c.relname as name, c.relrowsecurity as secured,
        array_agg(a.who || ' ' || a.privilege_type order by a.who, a.privilege_type) as grants
      from pg_class c, lateral (${granted('c.relacl', 'c.relowner')}) a
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'S', 'p', 'f')
      group by 1, 2 order by 1`);
    const grants = ['authenticated SELECT', 'service_role SELECT'];
    expect(rows).toEqual(TABLES.map((name) => ({ name, secured: true, grants })));
  });

  it('lets functions be called by who has a token, each safe from what lies on the search path', async () => {
    const rows = await stage().postgres.sql(`
      select p.proname as name, p.prosecdef as definer, p.proconfig as config,
        array_agg(a.who order by a.who) as grants
      from pg_proc p, lateral (${granted('p.proacl', 'p.proowner')}) a
      where p.pronamespace = 'public'::regnamespace
      group by p.oid order by 1`);
    const all = FUNCTIONS.toSorted();
    const config = ['search_path=""'];
    const grants = ['authenticated', 'service_role'];
    expect(rows).toEqual(all.map((name) => ({ name, definer: true, config, grants })));
  });

  it('lets nobody into the schema behind', async () => {
    const [schema] = await stage().postgres.sql(`
      select (select count(*)::int from aclexplode(nspacl) a where a.grantee <> nspowner) as strangers
      from pg_namespace where nspname = 'semo'`);
    expect(schema).toEqual({ strangers: 0 });
    const open = await stage().postgres.sql(`
      select p.proname from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where p.pronamespace = 'semo'::regnamespace and a.grantee <> p.proowner`);
    expect(open).toEqual([]);
    const careless = await stage().postgres.sql(`
      select proname from pg_proc
      where pronamespace = 'semo'::regnamespace and proconfig is distinct from array['search_path=""']`);
    expect(careless).toEqual([]);
    for (const role of ['anon', 'authenticated', 'service_role'] as const)
      await expect(stage().postgres.sqlAs({ role }, 'select semo.now()')).rejects.toMatchObject({ code: '42501' });
  });

  it('lets tables be read by policies alone, which ask for the token once', async () => {
    const policies = await stage().postgres.sql(`
      select tablename, cmd, roles::text, policyname, qual from pg_policies where schemaname = 'public' order by 1, 4`);
    expect(policies.map(({ tablename, policyname }) => `${String(tablename)}: ${String(policyname)}`)).toEqual(
      TABLES.flatMap((table) =>
        (table === 'agent_jobs' ? ['office'] : ['host', 'office']).map((whose) => `${table}: its own ${whose}`),
      ),
    );
    for (const { cmd, roles, qual } of policies) {
      expect([cmd, roles]).toEqual(['SELECT', '{authenticated}']);
      const asked = String(qual).match(/auth\.jwt\(\)/g)?.length;
      expect(String(qual).match(/\( SELECT auth\.jwt\(\)/g)?.length).toBe(asked);
    }
  });
}

function isolation(stage: () => Stage): void {
  let office: Office;
  let strangers: Readonly<Record<string, Client>>;
  beforeAll(async () => {
    office = await furnished(stage());
    const other = stage().office();
    await other.register('h1');
    const claims = (semo: Record<string, unknown>) =>
      stage().client({ role: 'authenticated', claims: semoClaims(semo) });
    const { officeId } = office;
    strangers = {
      'a member of another office': other.member,
      'a host of the same name of another office': other.hostClient('h1'),
      'another host of the office': office.hostClient('h2'),
      'a user without claims': stage().client({ role: 'authenticated' }),
      'a user who says so himself': stage().client({
        role: 'authenticated',
        claims: { user_metadata: { semo: { role: 'office', office_id: officeId } }, office_id: officeId },
      }),
      'a token without a role': claims({ office_id: officeId, host_id: 'h1' }),
      'a token of another role': claims({ role: 'viewer', office_id: officeId, host_id: 'h1' }),
      'a host token without a host': claims({ role: 'host', office_id: officeId }),
    };
  });

  it('shows an office all its rows, and a host its own', async () => {
    for (const table of TABLES) {
      const { officeId, member } = office;
      const rows = await member.select(`select * from public.${table}`);
      expect(new Set(rows.map(({ office_id: id }) => id)), table).toEqual(new Set([officeId]));
      const own = await office.hostClient('h1').select(`select * from public.${table}`);
      expect(own.length > 0, table).toBe(table !== 'agent_jobs');
    }
  });

  it('shows nobody else anything', async () => {
    for (const [who, stranger] of Object.entries(strangers))
      for (const table of TABLES) {
        const rows = await stranger.select(`select * from public.${table} where office_id = '${office.officeId}'`);
        expect(rows, `${who}, ${table}`).toEqual([]);
      }
    const anonymous = stage().client({ role: 'anon' });
    for (const table of TABLES)
      await expect(anonymous.select(`select * from public.${table}`)).rejects.toMatchObject({ code: '42501' });
  });

  it('lets nobody write to a table, be it with the secret key', async () => {
    for (const client of [office.member, office.hostClient('h1'), office.server])
      for (const table of TABLES)
        for (const statement of [
          `delete from public.${table}`,
          `update public.${table} set office_id = 'mine'`,
          `insert into public.${table} default values`,
          `truncate public.${table}`,
        ])
          await expect(client.select(statement), statement).rejects.toMatchObject({ code: '42501' });
  });

  it('does nothing for anybody else, whatever the function', async () => {
    const before = await snapshot(stage(), office);
    const allowed: Readonly<Record<string, readonly string[]>> = {
      ...Object.fromEntries(Object.keys(strangers).map((who) => [who, []])),
      'the office': [...OFFICE_FUNCTIONS, ...SHARED_FUNCTIONS],
      'its host': [...HOST_FUNCTIONS, ...SHARED_FUNCTIONS],
    };
    const callers = { ...strangers, 'the office': office.member, 'its host': office.hostClient('h1') };
    const calls = await callsWithNulls(stage(), office.officeId);
    expect(calls.length).toBe(FUNCTIONS.length);
    for (const [who, client] of Object.entries(callers))
      for (const { name, text } of calls) {
        if (allowed[who]?.includes(name) === true) continue;
        const refusal = { code: '42501', hint: 'not_permitted' };
        await expect(client.select(text), `${who}, ${name}`).rejects.toMatchObject(refusal);
      }
    const anonymous = stage().client({ role: 'anon' });
    for (const { text } of calls) await expect(anonymous.select(text), text).rejects.toMatchObject({ code: '42501' });
    expect(await snapshot(stage(), office)).toEqual(before);
  });

  it('keeps the same ids of two offices apart', async () => {
    const [one, other] = [stage().office(), stage().office()];
    for (const each of [one, other]) {
      await each.register('h1');
      await each.enqueue('create_session', { p_session_id: 'ses_same', p_command_id: 'cmd_same' });
    }
    await one.member.value('semo_withdraw_command', { p_command_id: 'cmd_same' });
    expect(await other.member.row('semo_get_command', { p_command_id: 'cmd_same' })).toMatchObject({
      status: 'pending',
    });
  });
}

/** An office with something in each of its tables, all of host h1. */
async function furnished(stage: Stage): Promise<Office> {
  const office = stage.office();
  const host = await office.register('h1');
  const { sessionId } = await office.session();
  const [create] = await host.claim();
  await host.complete(create ?? {});
  await office.enqueue('cancel', { p_session_id: sessionId });
  await host.rows('semo_report_turn', {
    p_turn: { sessionId, turnId: 'turn_1', state: { kind: 'running' }, acceptedAt: 1 },
  });
  const request = { requestId: 'req_1', sessionId, turnId: 'turn_1', kind: 'question', askedAt: 1 };
  await host.rows('semo_put_request', { p_record: { request, state: { kind: 'open' } } });
  await office.member.value('semo_put_job', { p_spec: { jobId: 'job_1', prompt: 'Go.', priority: 0 } });
  return office;
}

/** All there is of an office. */
async function snapshot({ postgres }: Stage, { officeId }: Office): Promise<unknown> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLES)
    tables[table] = await postgres.sql(`select * from public.${table} where office_id = $1 order by 1, 2`, [officeId]);
  return tables;
}

/**
 * A call of each function for that office and its host h1, in which everything else is null: whoever may not call is refused
 * before it matters.
 */
async function callsWithNulls({ postgres }: Stage, officeId: string): Promise<{ name: string; text: string }[]> {
  const found = await postgres.sql(
    `select proname as name, proargnames[1:pronargs] as names from pg_proc where pronamespace = 'public'::regnamespace`,
  );
  const known: Readonly<Record<string, string>> = { p_office_id: `'${officeId}'`, p_host_id: `'h1'` };
  return found.map(({ name, names }) => {
    const list = (names as string[]).map((argument) => `${argument} => ${known[argument] ?? 'null'}`);
    return { name: String(name), text: `select * from public.${String(name)}(${list.join(', ')})` };
  });
}
