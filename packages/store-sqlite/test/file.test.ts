import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newId } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { openDatabase } from '../src/file/open-database.ts';
import { inThisThread } from './opened-stores.ts';

const job = () => ({ jobId: newId('job'), prompt: 'Go.', agentId: 'ada' });
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** What a database of another program looks like. */
function otherDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe("a store's file", () => {
  it('is for its user alone, and outlives the store', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'state', 'deep', 'office.sqlite');
    const store = await inThisThread({ path });
    const record = await store.jobs.put(job());
    for (const name of [path, `${path}-wal`, `${path}-shm`]) expect(await modeOf(name)).toBe(0o600);
    expect(await modeOf(join(folder.path, 'state', 'deep'))).toBe(0o700);
    await store.close();
    const again = await inThisThread({ path });
    expect(await again.jobs.get(record.jobId)).toEqual(record);
    await again.close();
  });

  it('says whose it is, and is written through to the disk at every commit', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const database = openDatabase(join(folder.path, 'office.sqlite'));
    // 2 is FULL.
    const settings = { journal_mode: 'wal', synchronous: 2, user_version: 2, application_id: 0x53454d4f };
    for (const [name, value] of Object.entries(settings))
      expect(database.prepare(`PRAGMA ${name}`).get()).toEqual({ [name]: value });
    database.close();
  });

  it('of a version whose jobs did not count their ends is brought along', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const store = await inThisThread({ path });
    const [open, ended] = [await store.jobs.put(job()), await store.jobs.put(job())];
    await store.jobs.requestCancel(ended.jobId);
    const records = await store.jobs.list();
    await store.close();
    const older = `UPDATE jobs SET document = json_remove(document, '$.endings'); PRAGMA user_version = 1`;
    otherDatabase(path, older);
    const again = await inThisThread({ path });
    expect(await again.jobs.list()).toEqual(records);
    expect(records.map(({ jobId, endings }) => [jobId, endings])).toEqual(
      expect.arrayContaining([
        [open.jobId, 0],
        [ended.jobId, 1],
      ]),
    );
    await again.close();
  });

  it.each([
    ['a text', async (path: string) => writeFile(path, 'Dear diary, today nothing happened. '.repeat(50)), 'no SQLite'],
    ['a folder', async (path: string) => mkdir(path), 'cannot be opened'],
    ["another program's", async (path: string) => otherDatabase(path, 'CREATE TABLE a (b)'), 'another program'],
    ['marked', async (path: string) => otherDatabase(path, 'PRAGMA application_id = 7'), 'another program'],
    [
      "a newer version's",
      async (path: string) => {
        await (await inThisThread({ path })).close();
        otherDatabase(path, 'PRAGMA user_version = 99');
      },
      'newer version',
    ],
  ])('is refused where it is %s, and stays as it is', async (_what, prepare, words) => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    await prepare(path);
    const before = await readFile(path).catch(() => null);
    const refusal = inThisThread({ path });
    await expect(refusal).rejects.toMatchObject({ code: 'store_unusable', details: { path } });
    await expect(refusal).rejects.toThrow(path);
    await expect(refusal).rejects.toThrow(words);
    expect(await readFile(path).catch(() => null)).toEqual(before);
  });

  it('is refused where its folder cannot be made', async () => {
    await using folder = await temporaryFolder('semo-store-');
    await writeFile(join(folder.path, 'taken'), '');
    const path = join(folder.path, 'taken', 'office.sqlite');
    const refusal = inThisThread({ path });
    await expect(refusal).rejects.toMatchObject({ code: 'store_unusable', details: { path } });
    await expect(refusal).rejects.toThrow('cannot be opened');
  });

  it('that is damaged is told of, by its name', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const store = await inThisThread({ path });
    for (let number = 0; number < 20; number += 1) await store.jobs.put({ ...job(), prompt: 'x'.repeat(5000) });
    await store.close();
    const bytes = await readFile(path);
    // Every page but the first, which has the header and the schema.
    await writeFile(path, bytes.fill(0xa5, 4096));
    const damaged = await inThisThread({ path });
    const list = damaged.jobs.list();
    await expect(list).rejects.toMatchObject({ code: 'store_unusable', retryable: false, details: { path } });
    await expect(list).rejects.toThrow('is damaged');
    await expect(damaged.jobs.put(job())).rejects.toMatchObject({ code: 'store_unusable' });
    await damaged.close();
  });

  it('that holds a damaged record tells of it and gives every other', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const faults: string[] = [];
    const store = await inThisThread({ path, onFault: ({ place }) => faults.push(place) });
    const [half, odd, good] = [job(), job(), job()];
    for (const one of [half, odd, good]) await store.jobs.put(one);
    otherDatabase(
      path,
      `UPDATE jobs SET document = '{"jobId":' WHERE job_id = '${half.jobId}';
       UPDATE jobs SET document = json_set(document, '$.priority', 'high') WHERE job_id = '${odd.jobId}'`,
    );
    expect((await store.jobs.list()).map(({ jobId }) => jobId)).toEqual([good.jobId]);
    // In the list's order, which for jobs of one millisecond goes by their ids.
    expect(faults.toSorted()).toEqual([1, 2].map((row) => `${path}, table jobs, row ${row}`));
    expect(await store.jobs.get(half.jobId)).toBeNull();
    expect(await store.jobs.claim({ owner: 'office_a', leaseMs: 1000 })).toMatchObject({ jobId: good.jobId });
    expect(await store.jobs.claim({ owner: 'office_a', leaseMs: 1000 })).toBeNull();
    // What cannot be read is not written over.
    await expect(store.jobs.put(half)).rejects.toMatchObject({ code: 'store_unusable' });
    await store.close();
  });

  it('takes nothing of a write that fails midway', async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const store = await inThisThread({ path });
    const kept = await store.jobs.put(job());
    otherDatabase(path, "CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'no room'); END");
    const claim = store.jobs.claim({ owner: 'office_a', leaseMs: 1000 });
    await expect(claim).rejects.toMatchObject({ code: 'store_unusable' });
    await expect(claim).rejects.toThrow('no room');
    otherDatabase(path, 'DROP TRIGGER full');
    expect(await store.jobs.get(kept.jobId)).toEqual(kept);
    expect(await store.jobs.claim({ owner: 'office_a', leaseMs: 1000 })).toMatchObject({ fence: 1 });
    await store.close();
  });
});
