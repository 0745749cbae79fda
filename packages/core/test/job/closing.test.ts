import { describe, expect, it } from 'vitest';

import { memoryJobStore, type JobStore } from '../../src/index.ts';
import { expectError } from '../../testing/index.ts';
import { job, nextEvent, stagedOffice } from './office-stage.ts';

/** A store that answers one kind of call late: when it is let. */
function slowStore(slow: 'put' | 'claim') {
  const jobs = memoryJobStore();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const late: JobStore = new Proxy(jobs, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...given: unknown[]): Promise<unknown> => {
        // It is done at once, as in a file; only that it was done is told late.
        const done: unknown = await Reflect.apply(value, target, given);
        if (name !== slow || done === null) return done;
        asked.resolve();
        await answer.promise;
        return done;
      };
    },
  });
  return { jobs, late, asked: asked.promise, answer: () => answer.resolve() };
}

const QUEUED = { state: { kind: 'queued' }, lease: null, attempts: [] };

describe.each(['cancel', 'leave'] as const)('an office that is closed (%s) while the store takes a job', (running) => {
  it('does not begin one to be executed, and leaves it to the next office', async () => {
    const { jobs, late, asked, answer } = slowStore('put');
    const { office, told } = stagedOffice([], { jobs: late });
    const refusal = expectError(office.executeJob(job({ jobId: 'job_1' })), 'closed');
    await asked;
    const closing = office.close({ running });
    answer();
    await closing;
    // Free at once, not only when a lease has run out.
    expect(await jobs.get('job_1')).toMatchObject(QUEUED);
    await refusal;
    const next = stagedOffice([], { jobs, pollMs: 5 });
    expect(await next.office.waitForJob('job_1')).toMatchObject({ outcome: 'completed' });
    expect([told.length, next.told.length]).toEqual([0, 1]);
    await next.office.close();
  });

  it('keeps one that is submitted, for the next office', async () => {
    const { jobs, late, asked, answer } = slowStore('put');
    const { office, told } = stagedOffice([], { jobs: late });
    const submitting = office.submitJob(job({ jobId: 'job_1' }));
    await asked;
    const closing = office.close({ running });
    answer();
    expect(await submitting).toMatchObject(QUEUED);
    await closing;
    expect(await jobs.get('job_1')).toMatchObject(QUEUED);
    expect(told).toEqual([]);
  });

  it('gives back one that it was just about to take', async () => {
    const { jobs, late, asked, answer } = slowStore('claim');
    const { office, told } = stagedOffice([], { jobs: late });
    await office.submitJob(job({ jobId: 'job_1' }));
    await asked;
    const closing = office.close({ running });
    answer();
    await closing;
    expect(await jobs.get('job_1')).toMatchObject(QUEUED);
    expect(told).toEqual([]);
  });
});

describe('an office that is closed while a job is at work', () => {
  it('tells whoever waits for a job it leaves that it was closed', async () => {
    const jobs = memoryJobStore();
    const { office } = stagedOffice(['hang'], { jobs });
    const refusals = [
      expectError(office.executeJob(job({ jobId: 'job_1' })), 'closed'),
      expectError(office.waitForJob('job_1'), 'closed'),
    ];
    await nextEvent(office, 'attempt');
    await office.close({ running: 'leave' });
    await Promise.all(refusals);
    expect(await jobs.get('job_1')).toMatchObject({ state: { kind: 'running' }, lease: null });
  });

  it('refuses a way to close that there is not, and goes on', async () => {
    const { office } = stagedOffice();
    await expectError(office.close({ running: 'foo' as 'leave' }), 'invalid_argument');
    expect(await office.executeJob(job())).toMatchObject({ outcome: 'completed' });
    await office.close();
  });
});
