import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '@semo-office/testbed';
import { startPostgres } from '@semo-office/testbed/supabase';
import type { LocalPostgres } from '@semo-office/testbed/supabase';

import { lastingPool } from '../../src/supabase/postgres/lasting-pool.ts';
import { postgresBinaries } from '../../src/supabase/postgres/postgres-binaries.ts';

const user = '6f9619ff-8b86-4011-942d-00c04fc964ff';

describe('a local PostgreSQL', () => {
  let postgres: LocalPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres[Symbol.asyncDispose]());

  it('applies what a project may, and refuses what needs a superuser', async () => {
    await expect(
      postgres.sql('select rolsuper, rolbypassrls from pg_roles where rolname = current_user'),
    ).resolves.toEqual([{ rolsuper: false, rolbypassrls: true }]);
    await expect(postgres.sql("copy (select 1) to program 'true'")).rejects.toMatchObject({ code: '42501' });
  });

  it('tells policies who calls, and exposes no new table by itself', async () => {
    await postgres.sql('create table notes (owner uuid); alter table notes enable row level security');
    await postgres.sql('create policy own on notes to authenticated using (owner = (select auth.uid()))');
    await postgres.sql('insert into notes values ($1), (gen_random_uuid())', [user]);
    const caller = { role: 'authenticated', claims: { sub: user } } as const;
    await expect(postgres.sqlAs(caller, 'select * from notes')).rejects.toThrow(/permission denied for table notes/);
    await expect(postgres.sqlAs({ role: 'service_role' }, 'select * from notes')).rejects.toThrow(/permission denied/);
    await postgres.sql('grant select on notes to authenticated');
    await expect(postgres.sqlAs(caller, 'select owner from notes')).resolves.toEqual([{ owner: user }]);
    await expect(postgres.sqlAs(caller, 'select auth.role() as r, auth.jwt() ->> $1 as s', ['sub'])).resolves.toEqual([
      { r: 'authenticated', s: user },
    ]);
  });

  it('keeps what realtime.send says, under the policies of the caller', async () => {
    await postgres.sql("select realtime.send('{\"n\": 1}', 'woke', 'office:1')");
    // What the caller may not insert is a warning there, as on a hosted project, and no error.
    await postgres.sqlAs({ role: 'authenticated' }, "select realtime.send('{}', 'denied', 'office:1')");
    const rows = await postgres.sql("select topic, event, private, payload ->> 'n' as n from realtime.messages");
    expect(rows).toEqual([{ topic: 'office:1', event: 'woke', private: true, n: '1' }]);
  });

  it('applies each migration once, in order and as a whole', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, '20260102000000_second.sql'), 'insert into first values (2);');
    await writeFile(join(folder.path, '20260101000000_first.sql'), 'create table first (n int);');
    await postgres.applyMigrations(folder.path);
    await postgres.applyMigrations(folder.path);
    await writeFile(join(folder.path, '20260103000000_third.sql'), 'insert into first values (3); select 1 / 0;');
    await expect(postgres.applyMigrations(folder.path)).rejects.toThrow(/20260103000000_third.sql.*division by zero/);
    await expect(postgres.sql('select * from first')).resolves.toEqual([{ n: 2 }]);
  });

  it('keeps the partitions of the days around today, as the Realtime server does', async () => {
    const days = async () => {
      const rows = await postgres.sql(
        `select to_date(substr(c.relname, 10), 'YYYY_MM_DD') - current_date as day
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'realtime.messages'::regclass order by 1`,
      );
      return rows.map(({ day }) => day);
    };
    expect(await days()).toEqual([-2, -1, 0, 1, 2, 3]);
    await postgres.maintainPartitions(2);
    expect(await days()).toEqual([0, 1, 2, 3, 4, 5]);
    await postgres.maintainPartitions();
    expect(await days()).toEqual([-2, -1, 0, 1, 2, 3, 4, 5]);
  });

  it('keeps data and port over a restart, and answers nothing while it is paused', async () => {
    await postgres.sql('create table kept as select 7 as n');
    await postgres.restart();
    await expect(postgres.sql('select n from kept')).resolves.toEqual([{ n: 7 }]);
    const [row] = await postgres.sql('select pg_backend_pid() as pid');
    const backend = Number(row?.['pid']);
    const server = Number(ps('ppid', backend));
    postgres.pause();
    const answer = postgres.sql('select 8 as n');
    // Stopped, both of them: neither takes the question.
    for (const pid of [server, backend]) await expect.poll(() => ps('stat', pid)).toMatch(/^T/);
    postgres.resume();
    await expect(answer).resolves.toEqual([{ n: 8 }]);
  });

  it('fails what is asked over a connection that a restart has cut, and nothing else', async () => {
    const pool = lastingPool(postgres.connection());
    const client = await pool.connect();
    await postgres.restart();
    await expect(client.query('select 1')).rejects.toThrow(/terminat|queryable/);
    client.release(true);
    await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });
});

describe('the programs of the server', () => {
  it('are those in the folder that SEMO_POSTGRES names, with the version that they tell', async () => {
    const { version, ...programs } = postgresBinaries({});
    const named = postgresBinaries({ SEMO_POSTGRES: dirname(programs.postgres) });
    expect(named).toEqual({ ...programs, version: expect.stringMatching(/^\d+\.\d+$/) });
    expect(version.startsWith(`${named.version}.`)).toBe(true);
    await using empty = await temporaryFolder();
    expect(() => postgresBinaries({ SEMO_POSTGRES: empty.path })).toThrow(/no PostgreSQL server in .*SEMO_POSTGRES/);
  });
});

describe('a process that is killed', () => {
  it('leaves neither its server nor its folder', async () => {
    const script = fileURLToPath(new URL('fixtures/start-postgres.mjs', import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [data] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    expect(processes()).toContain(data);
    child.kill('SIGKILL');
    await expect.poll(() => existsSync(dirname(data)), { timeout: 10_000 }).toBe(false);
    await expect.poll(processes, { timeout: 10_000 }).not.toContain(data);
  });
});

function processes(): string {
  return execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' });
}

/** One word about a process; throws where there is none. */
function ps(word: 'ppid' | 'stat', pid: number): string {
  return execFileSync('ps', ['-o', `${word}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
}
