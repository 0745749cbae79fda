import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { PostgresBinaries } from './postgres-binaries.ts';
import type { ServerAccount } from './server-account.ts';
import { ServerProcess } from './server-process.ts';
import type { ServerPlace } from './server-process.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);

const sqlFolder = new URL('sql/', import.meta.url);

/** Superuser of the server, as on a hosted project; connections over the socket in the private folder need no password. */
export const superuser = 'supabase_admin';

/** Sent to the server at every start, whatever the data's age. */
export const startSql = (): Promise<string> => readSql('partitions.sql');

const initdbFlags = ({ version }: PostgresBinaries): readonly string[] => [
  `--username=${superuser}`,
  '--encoding=UTF8',
  // Version 17 is the first that has locales of its own.
  ...(Number.parseInt(version, 10) < 17 ? [] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']),
  '--locale=C',
  '--auth-local=trust',
  '--auth-host=scram-sha-256',
  '--wal-segsize=1',
  '--no-sync',
  '--no-instructions',
];

/**
 * A new folder with the data of an empty Supabase project, owned by the server's account. Making it takes a second or
 * two, so it is made once for each version of the server and the SQL, kept beside the installed packages, and copied.
 */
export async function newServerPlace(binaries: PostgresBinaries, account: ServerAccount): Promise<ServerPlace> {
  const place: ServerPlace = { folder: await privateFolder(account), postgres: binaries.postgres, account };
  try {
    const template = await templateFolder(binaries);
    if (!(await copyData(template, place))) {
      await makeData(binaries, place);
      // Where it cannot be kept, as beside packages of somebody else's, it is made each time.
      await keepTemplate(place, template).catch(() => undefined);
    }
    return place;
  } catch (error) {
    await rm(place.folder, { recursive: true, force: true });
    throw error;
  }
}

async function privateFolder(account: ServerAccount): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'semo-pg-')));
  if (account.uid !== undefined) await chown(folder, account.uid, account.gid);
  return folder;
}

async function templateFolder(binaries: PostgresBinaries): Promise<string> {
  const { version } = binaries;
  const hash = createHash('sha256').update(JSON.stringify([version, initdbFlags(binaries)]));
  for (const file of (await readdir(sqlFolder)).sort()) hash.update(await readSql(file));
  const packages = dirname(dirname(createRequire(import.meta.url).resolve('pg/package.json')));
  return join(packages, '.cache', 'semo-testbed', `postgres-${version}-${hash.digest('hex').slice(0, 16)}`);
}

/** False when there is no template yet. `cp` is several times faster than copying file by file from here. */
async function copyData(template: string, { folder, account }: ServerPlace): Promise<boolean> {
  const data = join(folder, 'data');
  try {
    await run('cp', ['-R', '-p', template, data]);
  } catch {
    await rm(data, { recursive: true, force: true });
    return false;
  }
  if (account.uid !== undefined) await run('chown', ['-R', `${account.uid}:${account.gid}`, data]);
  return true;
}

async function makeData(binaries: PostgresBinaries, place: ServerPlace): Promise<void> {
  const { folder, account } = place;
  await run(binaries.initdb, ['-D', join(folder, 'data'), ...initdbFlags(binaries)], { ...account, cwd: folder });
  const port = await freePort();
  const server = await ServerProcess.start(place, port);
  try {
    const client = new Client({ host: folder, port, user: superuser, database: 'postgres' });
    await client.connect();
    for (const file of ['roles.sql', 'auth.sql', 'realtime.sql']) await client.query(await readSql(file));
    await client.end();
  } finally {
    await server.stop();
  }
}

/** Several processes may make the template at once: the first one's stays. */
async function keepTemplate({ folder }: ServerPlace, template: string): Promise<void> {
  await mkdir(dirname(template), { recursive: true });
  const copy = await mkdtemp(`${template}-`);
  await run('cp', ['-R', '-p', join(folder, 'data'), join(copy, 'data')]);
  await rename(join(copy, 'data'), template).catch(() => undefined);
  await rm(copy, { recursive: true, force: true });
}

function readSql(file: string): Promise<string> {
  return readFile(new URL(file, sqlFolder), 'utf8');
}
