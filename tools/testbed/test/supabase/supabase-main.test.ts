import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { temporaryFolder } from '@semo-office/testbed';

const main = fileURLToPath(new URL('../../src/supabase/supabase-main.ts', import.meta.url));

it('runs by itself, says where it is, and ends on Ctrl-C with nothing left', async () => {
  await using folder = await temporaryFolder();
  const sql = "create function office() returns text language sql as $$ select auth.jwt() ->> 'office' $$";
  await writeFile(join(folder.path, '20260101000000_office.sql'), sql);
  const options = ['--migrations', folder.path, '--claims', '{"office":"o1"}'];
  const child = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const said: Record<string, string> = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const [, name = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    said[name] = value;
    if (name === 'SUPABASE_TOKEN') break;
  }
  const { SUPABASE_URL = '', SUPABASE_PUBLISHABLE_KEY = '', SUPABASE_TOKEN = '', DATABASE_URL = '' } = said;
  const client = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, { accessToken: async () => SUPABASE_TOKEN });
  expect((await client.rpc('office')).data).toBe('o1');
  const database = new Client(DATABASE_URL);
  await database.connect();
  const { rows } = await database.query<{ readonly data_directory: string }>('show data_directory');
  await database.end();

  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  await expect(fetch(SUPABASE_URL)).rejects.toThrow('fetch failed');
  await expect(text(spawn('ps', ['-A', '-o', 'args=']).stdout)).resolves.not.toContain(rows[0]?.data_directory);
});

it('says what is wrong with its options', async () => {
  const child = spawn(process.execPath, [main, '--port', 'x'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect([said.includes('Usage: npm run supabase:local'), code]).toEqual([true, 2]);
});
