import { expect, it } from 'vitest';

import { newId } from '../src/ids.ts';
import type { JobRecord } from '../src/job/job-record.ts';
import { LEASE_MS, attempt, jobSpec, lease, refOf, result, type StartJobStore } from './job-store-records.ts';

/** Who gets which job. */
export function claimContract(start: StartJobStore): void {
  it('gives out the highest priority, then the oldest, then by id, each once', async () => {
    const { store, again, pass } = await start();
    const twins = [newId('job'), newId('job')].toSorted();
    const specs = [
      jobSpec({ priority: 1 }),
      jobSpec(),
      jobSpec({ priority: -2 }),
      jobSpec({ priority: 7 }),
      jobSpec({ priority: 1 }),
    ];
    for (const spec of specs) {
      await store.put(spec);
      await pass(1);
    }
    for (const jobId of twins.toReversed()) await store.put(jobSpec({ jobId }));
    const got: (string | undefined)[] = [];
    for (let turn = 0; turn < 8; turn += 1)
      got.push((await (turn % 2 === 0 ? store : again()).claim(lease(`office_${turn % 2}`)))?.jobId);
    const [one, plain, low, high, later] = specs.map(({ jobId }) => jobId);
    expect(got).toEqual([high, one, later, plain, ...twins, low, undefined]);
  });

  it('gives each job to one of two owners that race', async () => {
    const { store, again } = await start();
    const specs = Array.from({ length: 12 }, () => jobSpec());
    await Promise.all(specs.map((spec) => store.put(spec)));
    const claims = Array.from({ length: 16 }, (_value, index) =>
      (index % 2 === 0 ? store : again()).claim(lease(index % 2 === 0 ? 'office_a' : 'office_b')),
    );
    const got = (await Promise.all(claims)).filter((record) => record !== null);
    expect(got.map(({ jobId }) => jobId).toSorted()).toEqual(specs.map(({ jobId }) => jobId).toSorted());
    for (const record of got) expect(await store.get(record.jobId)).toEqual(record);
  });

  it('claims at birth, for whoever puts it', async () => {
    const { store, again } = await start();
    const record = await store.put(jobSpec(), lease());
    const expiresAt = record.submittedAt + LEASE_MS;
    expect(record).toMatchObject({ fence: 1, lease: { owner: 'office_a', fence: 1, expiresAt } });
    expect(record.state.kind).toBe('queued');
    expect(await again().claim(lease('office_b'))).toBeNull();
  });

  it('gives out a job whose deadline has passed, so that somebody ends it', async () => {
    const { store, pass } = await start();
    const { jobId } = await store.put(jobSpec({ deadlineMs: 100 }));
    await pass(200);
    expect(await store.claim(lease())).toMatchObject({ jobId, state: { kind: 'queued' } });
  });

  it('gives who asks for one whose deadline has passed no other', async () => {
    const { store, again, pass } = await start();
    const overdue = { ...lease(), overdue: true };
    await store.put(jobSpec({ priority: 5 }));
    await store.put(jobSpec({ priority: 5, deadlineMs: 60_000 }));
    const { jobId } = await store.put(jobSpec({ deadlineMs: 100 }));
    await store.put(jobSpec({ deadlineMs: 100 }), lease('office_b'));
    expect(await store.claim(overdue)).toBeNull();
    await pass(200);
    expect(await again().claim(overdue)).toMatchObject({ jobId, lease: { owner: 'office_a' } });
    expect(await store.claim(overdue)).toBeNull();
  });

  it('gives out a job that was given back, as it is', async () => {
    const { store, again } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    await store.change(ref, { kind: 'started' });
    await store.change(ref, { kind: 'attempt', attempt: attempt() });
    const back = await store.change(ref, { kind: 'released' });
    expect(back).toMatchObject({ lease: null, fence: 1, state: { kind: 'running' } });
    await expect(store.renew(ref, LEASE_MS)).rejects.toMatchObject({ code: 'lease_lost' });
    const taken = await again().claim(lease('office_b'));
    expect(taken).toMatchObject({ fence: 2, lease: { owner: 'office_b', fence: 2 }, attempts: back.attempts });
  });
}

/** How long a job stays somebody's. */
export function leaseContract(start: StartJobStore): void {
  it('gives out a job again once its lease has run out, not before', async () => {
    const { store, again, pass } = await start();
    const { jobId } = await store.put(jobSpec(), lease());
    await pass(LEASE_MS - 1);
    expect(await again().claim(lease('office_b'))).toBeNull();
    await pass(1);
    const taken = await again().claim(lease('office_b'));
    expect(taken).toMatchObject({ jobId, fence: 2, lease: { owner: 'office_b', fence: 2 } });
    expect(await store.claim(lease())).toBeNull();
  });

  it('keeps a job for whoever renews', async () => {
    const { store, again, pass } = await start();
    const record = await store.put(jobSpec(), lease());
    await pass(LEASE_MS - 1);
    const renewed = await store.renew(refOf(record), LEASE_MS);
    const expiresAt = record.submittedAt + 2 * LEASE_MS - 1;
    expect(renewed).toEqual({ ...record, lease: { owner: 'office_a', fence: 1, expiresAt } });
    await pass(LEASE_MS - 1);
    expect(await again().claim(lease('office_b'))).toBeNull();
    expect(await again().get(record.jobId)).toEqual(renewed);
  });

  it('lets a late holder go on as long as nobody else has claimed', async () => {
    const { store, again, pass } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    await pass(LEASE_MS * 3);
    await store.change(ref, { kind: 'started' });
    await store.renew(ref, LEASE_MS);
    expect(await again().claim(lease('office_b'))).toBeNull();
  });

  it('refuses whoever holds it no longer, or never did', async () => {
    const { store, again, pass } = await start();
    const old = refOf(await store.put(jobSpec(), lease()));
    await pass(LEASE_MS);
    const taken = (await again().claim(lease('office_b'))) as JobRecord;
    const wrong = [old, { ...old, fence: 2 }, { ...refOf(taken), fence: 3 }, { ...old, jobId: newId('job') }];
    for (const ref of wrong) {
      await expect(store.renew(ref, LEASE_MS)).rejects.toMatchObject({ code: 'lease_lost' });
      await expect(store.change(ref, { kind: 'started' })).rejects.toMatchObject({ code: 'lease_lost' });
      const ended = store.change(ref, { kind: 'ended', result: result() });
      await expect(ended).rejects.toMatchObject({ code: 'lease_lost' });
    }
    expect(await store.get(old.jobId)).toEqual(taken);
  });

  it('tells an owner from itself by its fence', async () => {
    const { store, pass } = await start();
    const old = refOf(await store.put(jobSpec(), lease()));
    await pass(LEASE_MS);
    const taken = (await store.claim(lease())) as JobRecord;
    await expect(store.renew(old, LEASE_MS)).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await store.renew(refOf(taken), LEASE_MS)).toMatchObject({ fence: 2 });
  });
}
