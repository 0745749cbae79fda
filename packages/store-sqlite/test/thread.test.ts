import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { newId } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { openSqliteStore } from '../src/index.ts';
import { FROM_SOURCES } from './opened-stores.ts';

const job = () => ({ jobId: newId('job'), prompt: 'Go.', agentId: 'ada' });

describe("a store's thread", () => {
  it('waits for the disk and for others, and nobody waits with it', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const store = await openSqliteStore({ path });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    let settled = false;
    const put = store.jobs.put(job()).finally(() => {
      settled = true;
    });
    // Were the file opened in this thread, it would stand still here, the lock would never be let go, and `put` would fail.
    for (let turns = 0; turns < 200; turns += 1) await nextTurn();
    expect(settled).toBe(false);
    other.exec('COMMIT');
    expect(await put).toMatchObject({ state: { kind: 'queued' } });
    other.close();
    await store.close();
  });

  it('does what was asked before it closes, and refuses what comes later', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const store = await openSqliteStore({ path });
    const puts = Array.from({ length: 5 }, () => store.jobs.put(job()));
    await Promise.all([store.close(), store.close()]);
    const records = await Promise.all(puts);
    await expect(store.jobs.list()).rejects.toMatchObject({ code: 'closed' });
    await expect(store.requests.list()).rejects.toMatchObject({ code: 'closed' });
    const again = await openSqliteStore({ path });
    expect(await again.jobs.list()).toHaveLength(records.length);
    await again.close();
  });

  it('says by its error why a file could not be opened', async () => {
    await using folder = await temporaryFolder('semo-store-');
    await expect(openSqliteStore({ path: folder.path })).rejects.toMatchObject({ code: 'store_unusable' });
  });

  it('takes plain data only', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const store = await openSqliteStore({ path: join(folder.path, 'office.sqlite') });
    const odd = { ...job(), prompt: () => 'Go.' } as unknown as ReturnType<typeof job>;
    await expect(store.jobs.put(odd)).rejects.toMatchObject({ code: 'invalid_argument' });
    await store.close();
  });

  it('keeps no process alive and warns of nothing', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const program = fileURLToPath(new URL('fixtures/leave-open.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, join(folder.path, 'office.sqlite')], {
      env: { PATH: process.env['PATH'], NODE_OPTIONS: FROM_SOURCES },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'queued\n', stderr: '' });
  });

  it('is found where the package is installed', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const program = `
      import { openSqliteStore } from '@semo-office/store-sqlite';
      const store = await openSqliteStore({ path: process.argv[1] });
      await store.jobs.put({ jobId: 'job_1', prompt: 'Go.', agentId: 'ada' });
      console.log((await store.jobs.claim({ owner: 'office_1', leaseMs: 1000 })).jobId);
      await store.close();`;
    const args = ['--input-type=module', '--eval', program, join(folder.path, 'office.sqlite')];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      // From here the name leads to what has been built, as it does for users.
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'job_1\n', stderr: '' });
  });
});
