import { Client as Connection } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';

import { FUNCTIONS, HOST_FUNCTIONS, OFFICE_FUNCTIONS, SHARED_FUNCTIONS, TABLES } from './exposed.ts';
import { hintOf, semoClaims, type Client, type Office, type Stage } from './stage.ts';

/** Who may do what, by trying. */
export function describeIsolation(stage: () => Stage): void {
  describe('isolation', () => {
    let office: Office;
    let strangers: Readonly<Record<string, Client>>;
    beforeAll(async () => {
      office = await furnished(stage());
      strangers = await strangersTo(stage(), office);
    });
    const scene: Scene = { stage, office: () => office, strangers: () => Object.entries(strangers) };
    reading(scene);
    writing(scene);
    calling(scene);
    sameIds(scene);
    directly(scene);
  });
}

interface Scene {
  readonly stage: () => Stage;
  readonly office: () => Office;
  readonly strangers: () => readonly (readonly [string, Client])[];
}
function reading({ stage, office, strangers }: Scene): void {
  it('shows an office all its rows, and a host its own', async () => {
    const { officeId, member } = office();
    for (const table of TABLES) {
      const rows = await member.select(`select * from public.${table}`);
      expect([table, ...new Set(rows.map(({ office_id: id }) => id))]).toEqual([table, officeId]);
      const own = await office().hostClient('h1').select(`select * from public.${table}`);
      expect([table, own.length > 0]).toEqual([table, table !== 'agent_jobs']);
    }
  });

  it('shows nobody else anything', async () => {
    const seen: string[] = [];
    for (const [who, stranger] of strangers())
      for (const table of TABLES) {
        const rows = await stranger.select(`select * from public.${table} where office_id = '${office().officeId}'`);
        if (rows.length > 0) seen.push(`${who} sees ${table}`);
      }
    expect(seen).toEqual([]);
    const anonymous = stage().client({ role: 'anon' });
    for (const table of TABLES) expect(await hintOf(anonymous.select(`select * from public.${table}`))).toBe('42501');
  });
}

function writing({ office }: Scene): void {
  it('lets nobody write to a table, be it with the secret key', async () => {
    const written: string[] = [];
    for (const client of [office().member, office().hostClient('h1'), office().server])
      for (const table of TABLES)
        for (const statement of [
          `delete from public.${table}`,
          `update public.${table} set office_id = 'mine'`,
          `insert into public.${table} default values`,
          `truncate public.${table}`,
        ])
          if ((await hintOf(client.select(statement))) !== '42501') written.push(statement);
    expect(written).toEqual([]);
  });
}

function calling({ stage, office, strangers }: Scene): void {
  it('does nothing for anybody else, whatever the function', async () => {
    const before = await snapshot(stage(), office());
    const none: readonly string[] = [];
    const callers = [
      ...strangers().map(([who, client]) => [who, client, none] as const),
      ['the office', office().member, [...OFFICE_FUNCTIONS, ...SHARED_FUNCTIONS]] as const,
      ['its host', office().hostClient('h1'), [...HOST_FUNCTIONS, ...SHARED_FUNCTIONS]] as const,
    ];
    const calls = await callsWithNulls(stage(), office().officeId);
    expect(calls.map(({ name }) => name).toSorted()).toEqual(FUNCTIONS.toSorted());
    const passed: string[] = [];
    for (const [who, client, allowed] of callers)
      for (const { name, text } of calls)
        if (!allowed.includes(name) && (await hintOf(client.select(text))) !== 'not_permitted')
          passed.push(`${who} calls ${name}`);
    expect(passed).toEqual([]);
    const anonymous = stage().client({ role: 'anon' });
    for (const { text } of calls) expect(await hintOf(anonymous.select(text))).toBe('42501');
    expect(await snapshot(stage(), office())).toEqual(before);
  });
}

function sameIds({ stage }: Scene): void {
  it('keeps the same ids of two offices apart', async () => {
    const [one, other] = [stage().office(), stage().office()];
    for (const each of [one, other]) {
      await each.register('h1');
      await each.enqueue('create_session', { p_session_id: 'ses_same', p_command_id: 'cmd_same' });
    }
    await one.member.value('semo_withdraw_command', { p_command_id: 'cmd_same' });
    const untouched = await other.member.row('semo_get_command', { p_command_id: 'cmd_same' });
    expect(untouched).toMatchObject({ status: 'pending' });
  });
}

function directly({ stage, office }: Scene): void {
  it('takes whoever comes without the API, such as pg_cron, for who logged in', async () => {
    const call = `select * from public.semo_sweep('${office().officeId}')`;
    expect(await stage().postgres.sql(call)).toEqual([{ lost_hosts: [], ended_commands: 0, given_up_sessions: [] }]);
    const connection = new Connection(stage().postgres.connection('authenticator'));
    await connection.connect();
    expect(await hintOf(connection.query(call))).toBe('42501');
    await connection.end();
  });
}

/** People and programs who have no business in that office, or not this one. */
async function strangersTo(stage: Stage, office: Office): Promise<Readonly<Record<string, Client>>> {
  const other = stage.office();
  await other.register('h1');
  const { officeId } = office;
  const claims = (semo: Record<string, unknown>) => stage.client({ role: 'authenticated', claims: semoClaims(semo) });
  return {
    'a member of another office': other.member,
    'a host of the same name of another office': other.hostClient('h1'),
    'another host of the office': office.hostClient('h2'),
    'a user without claims': stage.client({ role: 'authenticated' }),
    'a user who says so himself': stage.client({
      role: 'authenticated',
      claims: { user_metadata: { semo: { role: 'office', office_id: officeId } }, office_id: officeId },
    }),
    'a token without a role': claims({ office_id: officeId, host_id: 'h1' }),
    'a token of another role': claims({ role: 'viewer', office_id: officeId, host_id: 'h1' }),
    'a host token without a host': claims({ role: 'host', office_id: officeId }),
  };
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
