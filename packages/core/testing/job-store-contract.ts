import { afterEach, describe, expect, it } from 'vitest';

import { newId } from '../src/ids.ts';
import type { JobChange } from '../src/job/job-record.ts';
import type { JobFilter } from '../src/job/job-store.ts';
import type { KeptJobSpec } from '../src/job/job.ts';
import { HARD_TEXT, expectKept } from './hard-text.ts';
import { cancelContract, endContract, reopeningContract } from './job-store-ends.ts';
import { claimContract, leaseContract } from './job-store-leases.ts';
import {
  attempt,
  crashed,
  jobSpec,
  lease,
  refOf,
  result,
  sessionJob,
  type OpenedJobStore,
  type StartJobStore,
} from './job-store-records.ts';

export type { OpenedJobStore } from './job-store-records.ts';

/**
 * The suite that every `JobStore` passes.
 *
 * @example
 * ```ts
 * describeJobStoreContract('in memory', async () => {
 *   const clock = new FakeClock();
 *   return { store: memoryJobStore({ clock }), pass: (ms) => clock.advance(ms) };
 * });
 * ```
 */
export function describeJobStoreContract(name: string, open: () => Promise<OpenedJobStore>): void {
  describe(`job store: ${name}`, () => {
    const opened: OpenedJobStore[] = [];
    const start: StartJobStore = async () => {
      const one = await open();
      opened.push(one);
      return {
        store: one.store,
        again: () => one.reopen?.() ?? one.store,
        pass: async (ms) => {
          await one.pass(ms);
        },
      };
    };
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close?.();
    });

    keepingContract(start);
    listingContract(start);
    claimContract(start);
    leaseContract(start);
    changingContract(start);
    cancelContract(start);
    reopeningContract(start);
    endContract(start);
  });
}

function keepingContract(start: StartJobStore): void {
  it('keeps a job with its defaults, queued and held by nobody', async () => {
    const { store, again } = await start();
    const spec = sessionJob();
    const record = await store.put(spec);
    expect(record).toMatchObject({ jobId: spec.jobId, state: { kind: 'queued' }, priority: 3, lease: null, fence: 0 });
    expect(record).toMatchObject({ cancelRequested: false, attempts: [], reopened: null, percent: null });
    expect(record.reported).toBe(false);
    expect(record.deadlineAt).toBe(record.submittedAt + 60_000);
    expect(record.spec).toMatchObject({ prompt: 'Go.', context: { ticket: 'A-1' }, session: { screen: false } });
    expect(await again().get(spec.jobId)).toEqual(record);
    expect(await again().list()).toEqual([record]);
    expect(await store.get(newId('job'))).toBeNull();
    expect((await store.put(jobSpec())).deadlineAt).toBeNull();
  });

  it('keeps the first of two with one id, also when it is being worked on', async () => {
    const { store, again } = await start();
    const spec = jobSpec({ context: { a: '1', b: '2' } });
    const held = await store.put(spec, lease());
    const record = await store.change(refOf(held), { kind: 'started' });
    expect(await again().put({ ...spec, priority: 0, context: { b: '2', a: '1' } })).toEqual(record);
    expect(await again().put(spec, lease('office_b'))).toEqual(record);
  });

  it('refuses another job of the same id', async () => {
    const { store, again } = await start();
    const spec = jobSpec();
    const record = await store.put(spec);
    const other = again().put({ ...spec, prompt: 'Something else.' });
    await expect(other).rejects.toMatchObject({ code: 'job_conflict' });
    expect(await store.list()).toEqual([record]);
  });

  it('refuses what is no job, no lease, no change, no filter', async () => {
    const { store } = await start();
    const refused = (call: Promise<unknown>) => expect(call).rejects.toMatchObject({ code: 'invalid_argument' });
    await refused(store.put({ ...jobSpec(), prompt: 7 } as unknown as KeptJobSpec));
    await refused(store.put(jobSpec({ jobId: '../escape' })));
    await refused(store.put(jobSpec(), { owner: 'office_a', leaseMs: 0 }));
    await refused(store.claim({ owner: '', leaseMs: 1000 }));
    expect(await store.list()).toEqual([]);
    const held = await store.put(jobSpec(), lease());
    await refused(store.change(refOf(held), { kind: 'perhaps' } as unknown as JobChange));
    await refused(store.change(refOf(held), { kind: 'attempt', attempt: attempt(1) }));
    await refused(store.list({ limit: -1 }));
    expect(await store.get(held.jobId)).toEqual(held);
  });

  it('is not changed through what it was given or gave', async () => {
    const { store } = await start();
    const spec = jobSpec({ context: { ticket: 'A-1' } });
    const given = await store.put(spec);
    spec.context!['ticket'] = 'B-2';
    given.spec.context['ticket'] = 'C-3';
    given.attempts.push(attempt());
    const [listed] = await store.list();
    expect(listed).toMatchObject({ spec: { context: { ticket: 'A-1' } }, attempts: [] });
    listed!.spec.context['ticket'] = 'D-4';
    expect((await store.get(spec.jobId))?.spec.context).toEqual({ ticket: 'A-1' });
  });
}

function listingContract(start: StartJobStore): void {
  it('lists by state, agent, report and number, the oldest first', async () => {
    const { store, again, pass } = await start();
    const specs = [jobSpec(), jobSpec({ agentId: 'bob' }), jobSpec({ priority: 5 }), jobSpec()];
    for (const spec of specs) {
      await store.put(spec, lease());
      await pass(1);
    }
    const [, running, told, untold] = specs.map(({ jobId }) => jobId);
    const ref = (jobId = '') => ({ jobId, owner: 'office_a', fence: 1 });
    await store.change(ref(running), { kind: 'started' });
    for (const jobId of [told, untold]) await store.change(ref(jobId), { kind: 'ended', result: result() });
    await store.markReported(told!, 1);
    const numbers = async (filter?: JobFilter): Promise<number[]> =>
      (await again().list(filter)).map(({ jobId }) => specs.findIndex((spec) => spec.jobId === jobId));
    expect(await numbers()).toEqual([0, 1, 2, 3]);
    expect(await numbers({ state: ['queued'] })).toEqual([0]);
    expect(await numbers({ state: ['queued', 'running'] })).toEqual([0, 1]);
    expect(await numbers({ state: [] })).toEqual([]);
    expect(await numbers({ agentId: 'bob' })).toEqual([1]);
    expect(await numbers({ agentId: 'bob', state: ['ended'] })).toEqual([]);
    expect(await numbers({ reported: false })).toEqual([3]);
    expect(await numbers({ reported: true })).toEqual([2]);
    expect(await numbers({ limit: 2 })).toEqual([0, 1]);
    expect(await numbers({ limit: Number.MAX_SAFE_INTEGER })).toEqual([0, 1, 2, 3]);
    expect(await numbers({ state: ['ended'], limit: 1 })).toEqual([2]);
  });
}

function changingContract(start: StartJobStore): void {
  it('keeps what its holder writes', async () => {
    const { store, again, pass } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    const started = await store.change(ref, { kind: 'started' });
    expect(started.state).toEqual({ kind: 'running', since: started.submittedAt });
    await pass(5);
    expect((await store.change(ref, { kind: 'started' })).state).toEqual(started.state);
    const first = attempt();
    await store.change(ref, { kind: 'attempt', attempt: first });
    await store.change(ref, { kind: 'attempt', attempt: { ...first, delivery: 'accepted' } });
    await store.change(ref, { kind: 'attempt', attempt: crashed(first) });
    const second = attempt(1);
    await store.change(ref, { kind: 'attempt', attempt: second });
    const record = await store.change(ref, { kind: 'progress', percent: 40 });
    expect(record).toMatchObject({ attempts: [crashed(first), second], percent: 40 });
    expect(await again().get(ref.jobId)).toEqual(record);
  });

  it('keeps whatever agents say, if need be with marks in the place of characters', async () => {
    const { store, again } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    const error = { code: 'agent_crashed', class: 'crash', message: HARD_TEXT, retryable: true } as const;
    const said = { ...crashed(attempt()), error };
    const record = await store.change(ref, { kind: 'attempt', attempt: said });
    expectKept(record.attempts, [said]);
    const evidence = [{ kind: 'agent_end', at: 7000, text: HARD_TEXT, backgroundTasks: 0 } as const];
    const outcome = result({ text: HARD_TEXT, evidence });
    const ended = await store.change(ref, { kind: 'ended', result: outcome });
    expectKept(ended.state.kind === 'ended' && ended.state.result, outcome);
    expect(await again().get(ref.jobId)).toEqual(ended);
  });

  it('ends a job for good and takes its lease back', async () => {
    const { store, again, pass } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    await pass(7);
    const outcome = result();
    const ended = await store.change(ref, { kind: 'ended', result: outcome });
    expect(ended.state).toEqual({ kind: 'ended', at: ended.submittedAt + 7, result: outcome });
    expect(ended).toMatchObject({ lease: null, reported: false });
    for (const change of [{ kind: 'started' }, { kind: 'ended', result: result({ text: 'Otherwise.' }) }] as const)
      await expect(store.change(ref, change)).rejects.toMatchObject({ code: 'lease_lost' });
    await expect(store.renew(ref, 1000)).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await again().get(ref.jobId)).toEqual(ended);
    expect(await store.claim(lease())).toBeNull();
    expect(await store.requestCancel(ref.jobId)).toEqual(ended);
  });
}
