import { join } from 'node:path';
import { newId, type JobRecord } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { openSqliteStore, type SqliteStore } from '../src/index.ts';
import { startOffice } from './fixtures/office-process.ts';
import { inThisThread } from './opened-stores.ts';

/** Numbers below one that look random and are the same in every run. */
function* seeded(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

describe('two office processes on one file', () => {
  it('claim each of 200 jobs once', { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const store = await openSqliteStore({ path });
    const jobs = Array.from({ length: 200 }, () => ({ jobId: newId('job'), prompt: 'Go.', agentId: 'ada' }));
    await Promise.all(jobs.map((job) => store.jobs.put(job)));
    const offices = ['office_a', 'office_b'].map((owner) => startOffice('claim-all', [path, owner]));
    for (const office of offices) expect(await office.printed((lines) => lines.length > 0)).toEqual(['ready']);
    for (const office of offices) office.go();
    for (const office of offices) expect(await office.gone()).toBe(0);
    const claimed: string[][] = [];
    for (const office of offices) claimed.push(JSON.parse((await office.printed(() => true)).at(-1) ?? '') as string[]);
    expect(claimed.flat().toSorted()).toEqual(jobs.map(({ jobId }) => jobId).toSorted());
    // Both had a share, or nothing was raced for.
    for (const share of claimed) expect(share.length).toBeGreaterThan(0);
    for (const record of await store.jobs.list()) {
      const owner = claimed[0]?.includes(record.jobId) === true ? 'office_a' : 'office_b';
      expect(record).toMatchObject({ fence: 1, state: { kind: 'ended', result: { text: owner } } });
    }
    await store.close();
  });

  it('open a new file at the same moment', { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const stores = await Promise.all(Array.from({ length: 4 }, () => openSqliteStore({ path })));
    const job = { jobId: newId('job'), prompt: 'Go.', agentId: 'ada' };
    await Promise.all(stores.map((store) => store.jobs.put(job)));
    const claims = await Promise.all(
      stores.map((store, index) => store.jobs.claim({ owner: `office_${index}`, leaseMs: 60_000 })),
    );
    expect(claims.filter((record) => record !== null)).toHaveLength(1);
    await Promise.all(stores.map((store) => store.close()));
  });
});

const STAGES: readonly JobRecord['state']['kind'][] = ['queued', 'running', 'ended'];

/** Whether what a process said had resolved is kept, and whole. */
async function expectKept(store: SqliteStore, promise: string): Promise<void> {
  const [jobId = '', stage = ''] = promise.split(' ');
  const record = await store.jobs.get(jobId);
  const asFar = STAGES.indexOf(record?.state.kind ?? 'queued') >= STAGES.indexOf(stage as 'ended');
  const whole = record?.spec.prompt === jobId.repeat(600);
  expect({ promise, asFar, whole }).toEqual({ promise, asFar: true, whole: true });
}

describe('office processes that are killed while they write', () => {
  it('lose nothing that had resolved', { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder('semo-store-');
    const path = join(folder.path, 'office.sqlite');
    const random = seeded(20_261_121);
    const killed = Array.from({ length: 4 }, async (_value, index) => {
      const office = startOffice('write-on', [path, `office${index}`]);
      const enough = 1 + Math.floor(random.next().value * 60);
      await office.printed((lines) => lines.length >= enough);
      const promises = await office.kill();
      expect(promises.length).toBeGreaterThanOrEqual(enough);
      return promises;
    });
    const promises = (await Promise.all(killed)).flat();
    const store = await inThisThread({ path });
    for (const promise of promises) await expectKept(store, promise);
    await store.close();
  });
});
