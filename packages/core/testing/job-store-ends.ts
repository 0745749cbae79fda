import { expect, it } from 'vitest';

import { newId } from '../src/ids.ts';
import {
  attempt,
  crashed,
  jobSpec,
  lease,
  refOf,
  result,
  sessionJob,
  type StartJobStore,
} from './job-store-records.ts';

/** How somebody ends a job from outside. */
export function cancelContract(start: StartJobStore): void {
  it('ends a queued job as cancelled at once', async () => {
    const { store, again, pass } = await start();
    const spec = sessionJob();
    await store.put(spec);
    await pass(9);
    const ended = await again().requestCancel(spec.jobId);
    expect(ended).toMatchObject({ cancelRequested: true, reported: false, lease: null });
    const error = { code: 'turn_cancelled', class: 'cancelled', retryable: false };
    const cancelled = { outcome: 'cancelled', confidence: 'certain', durationMs: 9, attempts: [], error };
    expect(ended.state).toMatchObject({ kind: 'ended', at: ended.submittedAt + 9, result: cancelled });
    expect(await store.get(spec.jobId)).toEqual(ended);
    expect(await store.claim(lease())).toBeNull();
    await expect(store.requestCancel(newId('job'))).rejects.toMatchObject({ code: 'job_unknown' });
  });

  it('tells the holder of a running job, which ends it', async () => {
    const { store, again } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    await store.change(ref, { kind: 'started' });
    expect((await again().requestCancel(ref.jobId)).state.kind).toBe('running');
    expect(await again().requestCancel(ref.jobId)).toMatchObject({ cancelRequested: true });
    expect(await store.renew(ref, 1000)).toMatchObject({ cancelRequested: true });
    const ended = await store.change(ref, { kind: 'ended', result: result({ outcome: 'cancelled' }) });
    expect(ended.state).toMatchObject({ kind: 'ended', result: { outcome: 'cancelled' } });
  });

  it('ends one between two attempts with what has been tried', async () => {
    const { store } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    const tried = crashed(attempt());
    await store.change(ref, { kind: 'attempt', attempt: tried });
    await store.change(ref, { kind: 'released' });
    const { state } = await store.requestCancel(ref.jobId);
    const { reason, sessionId, turnId, outcome, startedAt, endedAt, error } = tried;
    const attempts = [{ reason, sessionId, turnId, outcome, startedAt, endedAt, error }];
    expect(state).toMatchObject({ kind: 'ended', result: { attempts, sessionId, conversationId: 'conv' } });
  });

  it('leaves one whose attempt is still open to whoever claims it next', async () => {
    const { store, again, pass } = await start();
    const ref = refOf(await store.put(jobSpec(), lease()));
    await store.change(ref, { kind: 'started' });
    await store.change(ref, { kind: 'attempt', attempt: attempt(0, { delivery: 'accepted' }) });
    await pass(lease().leaseMs);
    expect(await again().requestCancel(ref.jobId)).toMatchObject({ cancelRequested: true, state: { kind: 'running' } });
    expect(await again().claim(lease('office_b'))).toMatchObject({ jobId: ref.jobId, cancelRequested: true });
  });
}

/** How a job that has ended is taken up again. */
export function reopeningContract(start: StartJobStore): void {
  it('puts a job that has ended back into the queue, with all it was', async () => {
    const { store, again, pass } = await start();
    const spec = jobSpec({ deadlineMs: 1000, priority: 2 });
    const ref = refOf(await store.put(spec, lease()));
    const tried = crashed(attempt());
    await store.change(ref, { kind: 'attempt', attempt: tried });
    await store.change(ref, { kind: 'progress', percent: 30 });
    await store.requestCancel(spec.jobId);
    const { submittedAt } = await store.change(ref, { kind: 'ended', result: result() });
    await store.markReported(spec.jobId, 1);
    await pass(5000);
    const open = await again().reopen(spec.jobId, 'resume');
    expect(open).toMatchObject({
      state: { kind: 'queued' },
      reopened: 'resume',
      cancelRequested: false,
      percent: null,
    });
    expect(open).toMatchObject({ reported: false, lease: null, attempts: [tried], priority: 2, submittedAt });
    expect(open.deadlineAt).toBe(submittedAt + 5000 + 1000);
    const claimed = await store.claim(lease('office_b'));
    expect(claimed).toMatchObject({ fence: 2, reopened: 'resume' });
    const begun = { kind: 'attempt', attempt: attempt(1, { reason: 'by_hand' }) } as const;
    await expect(store.change(ref, begun)).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await store.change(refOf(claimed!), begun)).toMatchObject({ reopened: null });
  });

  it('refuses one that is not kept, or has not ended', async () => {
    const { store } = await start();
    const { jobId } = await store.put(jobSpec());
    await expect(store.reopen(newId('job'), 'retry')).rejects.toMatchObject({ code: 'job_unknown' });
    await expect(store.reopen(jobId, 'retry')).rejects.toMatchObject({ code: 'job_not_ended' });
    await store.claim(lease());
    await expect(store.reopen(jobId, 'retry')).rejects.toMatchObject({ code: 'job_not_ended' });
  });
}

/** What becomes of jobs that have ended. */
export function endContract(start: StartJobStore): void {
  it('remembers that an end was told, of that end only', async () => {
    const { store, again } = await start();
    const { jobId } = await store.put(jobSpec());
    await store.markReported(jobId, 1);
    expect(await store.get(jobId)).toMatchObject({ reported: false, endings: 0 });
    await store.requestCancel(jobId);
    for (const one of [store, again()]) await one.markReported(jobId, 1);
    expect(await store.get(jobId)).toMatchObject({ reported: true, endings: 1, state: { kind: 'ended' } });
    await store.reopen(jobId, 'retry');
    expect(await store.requestCancel(jobId)).toMatchObject({ reported: false, reopened: null });
    await expect(store.markReported(newId('job'), 1)).rejects.toMatchObject({ code: 'job_unknown' });
    await expect(store.markReported(jobId, 0)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('takes a report that comes late for the end it was of, not for the next one', async () => {
    const { store, again, pass } = await start();
    const { jobId } = await store.put(jobSpec());
    const first = await store.requestCancel(jobId);
    await store.reopen(jobId, 'resume');
    await store.markReported(jobId, first.endings);
    // At the same moment, and without an attempt in between: nothing but their number tells the two apart.
    const second = await store.requestCancel(jobId);
    expect([first.endings, second.endings]).toEqual([1, 2]);
    await again().markReported(jobId, first.endings);
    expect(await store.get(jobId)).toEqual(second);
    expect(await store.list({ reported: false })).toHaveLength(1);
    await pass(1);
    await again().markReported(jobId, second.endings);
    expect(await store.get(jobId)).toEqual({ ...second, reported: true });
    expect(await store.list({ reported: false })).toEqual([]);
  });

  it('forgets jobs that ended long ago, never what is open', async () => {
    const { store, again, pass } = await start();
    const [open, old, fresh] = [jobSpec(), jobSpec(), jobSpec()];
    for (const spec of [open, old, fresh]) await store.put(spec);
    await store.requestCancel(old.jobId);
    await pass(1000);
    const { state } = await store.requestCancel(fresh.jobId);
    const endedAt = state.kind === 'ended' ? state.at : 0;
    expect(await store.prune(endedAt)).toBe(1);
    expect(await store.prune(endedAt)).toBe(0);
    const left = (await again().list()).map(({ jobId }) => jobId);
    expect(left.toSorted()).toEqual([open.jobId, fresh.jobId].toSorted());
    expect(await store.get(old.jobId)).toBeNull();
    // Its id is free again.
    expect(await store.put({ ...old, prompt: 'Another.' })).toMatchObject({ state: { kind: 'queued' } });
  });
}
