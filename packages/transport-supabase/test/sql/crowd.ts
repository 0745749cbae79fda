import { Client, type QueryResult } from 'pg';
import { describe, expect, it, vi } from 'vitest';

import { callOf, hintOf, type Arguments, type Host, type Office, type Stage } from './stage.ts';

const WORKERS = 16;
const SESSIONS = 24;
const PROMPTS = 8;
const PATIENCE = { timeout: 10_000, interval: 10 };
const HISTORY = 10_000;

/** What holds when many work at once, and when much has gone before. */
export function describeCrowd(stage: () => Stage): void {
  describe('many at once', () => {
    it('hands out each command once and each lane in order, to 16 connections that race', async () => {
      const office = stage().office();
      const host = await office.register('h1', { p_capacity: 1000 });
      await fill(stage(), office);
      const total = SESSIONS * PROMPTS * 2;
      const claimed: { id: string; lane: string; seq: number }[] = [];
      let completed = 0;
      await Promise.all(
        Array.from({ length: WORKERS }, async () => {
          await using connection = await connect(stage(), host);
          while (completed < total)
            for (const row of await connection.call('semo_claim_commands', { p_limit: 4 })) {
              const { command_id, session_id, lane, seq, lease_token } = row;
              claimed.push({ id: String(command_id), lane: `${String(session_id)} ${String(lane)}`, seq: Number(seq) });
              const answer = { p_command_id: command_id, p_lease_token: lease_token, p_result: null };
              await connection.call('semo_complete_command', answer);
              completed += 1;
            }
        }),
      );
      expect(claimed).toHaveLength(total);
      expect(new Set(claimed.map(({ id }) => id)).size).toBe(total);
      const last = new Map<string, number>();
      for (const { lane, seq } of claimed) {
        expect(seq).toBeGreaterThan(last.get(lane) ?? 0);
        last.set(lane, seq);
      }
      expect(await office.member.select("select from agent_commands where status <> 'completed'")).toEqual([]);
    });

    it('hands out nothing under an epoch that is ending at that moment', async () => {
      const office = stage().office();
      const host = await office.register('h1');
      await office.session();
      await using next = await connect(stage(), host);
      await next.query('begin');
      await next.query(`select public.semo_register_host('${office.officeId}', 'h1', 1, 10)`);
      const claim = hintOf(host.claim());
      await waitingForLock(stage(), 'semo_claim_commands');
      await next.query('commit');
      expect(await claim).toBe('lease_lost');
      expect(await office.member.select("select from agent_commands where status = 'pending'")).toHaveLength(1);
    });

    it('numbers the commands of a session one after the other, whoever asks', async () => {
      const office = stage().office();
      await office.register('h1');
      const { sessionId: p_session_id } = await office.session();
      const asked = await Promise.all(Array.from({ length: 20 }, () => office.enqueue('cancel', { p_session_id })));
      const numbers = asked.map(({ seq }) => Number(seq)).toSorted((one, other) => one - other);
      expect(numbers).toEqual(Array.from({ length: 20 }, (_value, index) => index + 2));
    });
  });

  describe('history', () => {
    it('costs nothing: claiming reads the open commands only', async () => {
      const office = stage().office();
      const host = await office.register('h1', { p_capacity: 1000 });
      await addHistory(stage(), office);
      await fill(stage(), office);
      await stage().postgres.sql('analyze public.agent_commands');
      const plans = await plansOf(stage(), host);
      const claim = plans.find((plan) => plan.includes('Recursive Union'));
      expect(claim).toContain('Index Scan using agent_commands_open');
      expect(claim).not.toContain('Seq Scan on agent_commands');
      for (const index of ['agent_commands_waiting', 'agent_commands_held'])
        expect(
          plans.some((plan) => plan.includes(`Index Scan on ${index}`) || plan.includes(`Scan using ${index}`)),
        ).toBe(true);
      // What waits elsewhere in the office is not read either.
      expect(claim).not.toContain('agent_commands_waiting');
      expect(plans.filter((plan) => plan.includes('Seq Scan on agent_commands'))).toEqual([]);
      // Rows that were looked at and thrown away would be the history.
      expect(claim).not.toMatch(/Rows Removed by (Index Recheck|Filter): \d{4,}/);
    });
  });
}

/** Sessions with prompts and cancels that wait, as many as asked for one by one would be. */
async function fill({ postgres }: Stage, { officeId }: Office): Promise<void> {
  await postgres.sql(
    `insert into public.agent_sessions (office_id, session_id, host_id, status, info, last_seq)
     select $1, 'ses_' || s, 'h1', 'ready', '{}', 2 * $3::int from generate_series(1, $2::int) s`,
    [officeId, SESSIONS, PROMPTS],
  );
  await postgres.sql(
    `insert into public.agent_commands
       (office_id, command_id, session_id, host_id, kind, lane, seq, payload, expires_at)
     select $1, 'cmd_' || s || '_' || n, 'ses_' || s, 'h1', case n % 2 when 0 then 'cancel' else 'send_prompt' end,
       case n % 2 when 0 then 'control' else 'turn' end, n, '{}', semo.after_ms(3600000)
     from generate_series(1, $2::int) s, generate_series(1, 2 * $3::int) n`,
    [officeId, SESSIONS, PROMPTS],
  );
}

/** Commands that were carried out long ago; nobody is told of them. */
async function addHistory({ postgres }: Stage, { officeId }: Office): Promise<void> {
  await postgres.sql('alter table public.agent_commands disable trigger user');
  await postgres.sql(
    `insert into public.agent_commands
       (office_id, command_id, session_id, host_id, kind, lane, seq, status, expires_at, ended_at)
     select $1, 'old_' || n, 'gone_' || n % 100, 'h1', 'send_prompt', 'turn', n, 'completed', semo.now(), semo.now()
     from generate_series(1, $2::int) n`,
    [officeId, HISTORY],
  );
  await postgres.sql('alter table public.agent_commands enable trigger user');
}

/** Resolves when somebody waits for a lock in a statement that holds these words. */
async function waitingForLock({ postgres }: Stage, words: string): Promise<void> {
  await vi.waitFor(async () => {
    const waiting = await postgres.sql(
      `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%'`,
      [words],
    );
    expect(waiting).toHaveLength(1);
  }, PATIENCE);
}

interface Connection extends AsyncDisposable {
  query(text: string): Promise<unknown>;
  call(name: string, args: Arguments): Promise<Record<string, unknown>[]>;
}

/** A connection of its own with the token of a host. */
async function connect({ postgres }: Stage, { caller, officeId, hostId, epoch }: Host): Promise<Connection> {
  const client = new Client(postgres.connection('authenticator'));
  await client.connect();
  const { role, claims } = caller;
  await client.query("select set_config('role', $1, false), set_config('request.jwt.claims', $2, false)", [
    role,
    JSON.stringify({ role, ...claims }),
  ]);
  const own = { p_office_id: officeId, p_host_id: hostId, p_epoch: epoch };
  return {
    async call(name, args) {
      const { text, values } = callOf(name, { ...own, ...args });
      const result: QueryResult<Record<string, unknown>> = await client.query(text, values);
      return result.rows;
    },
    query: (text) => client.query(text),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** How the server runs each statement of a claim, with what it really read. */
async function plansOf({ postgres }: Stage, { officeId, hostId, epoch }: Host): Promise<string[]> {
  const client = new Client(postgres.connection('supabase_admin'));
  await client.connect();
  const plans: string[] = [];
  client.on('notice', ({ message }) => plans.push(message ?? ''));
  await client.query(`
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_level = notice;`);
  const { text, values } = callOf('semo_claim_commands', {
    p_office_id: officeId,
    p_host_id: hostId,
    p_epoch: epoch,
  });
  await client.query(text, values);
  await client.end();
  return plans;
}
