import type { Cancel, Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import type { JobStore } from './job-store.ts';
import { unknownJob } from './job-transition.ts';
import type { JobResult } from './run-line.ts';

/** What is needed to learn of a job's end. */
export interface JobEndSources {
  readonly jobs: JobStore;
  readonly clock: Clock;
  /** How often the store is asked, for jobs that another process works on; `null`: there is none. */
  readonly pollMs: number | null;
  readonly onEnded: (listener: (event: { readonly jobId: string; readonly result: JobResult }) => void) => Unsubscribe;
  readonly closed: AbortSignal;
}

/**
 * Waits for the end of a job, wherever it is worked on.
 * @throws SemoError `job_unknown`, `wait_timed_out`, `aborted`, `closed`.
 */
export async function waitForEnd(
  sources: JobEndSources,
  jobId: string,
  { timeoutMs, signal }: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<JobResult> {
  const { clock, closed, onEnded } = sources;
  const end = Promise.withResolvers<JobResult>();
  const stops: (() => void)[] = [onEnded((event) => event.jobId === jobId && end.resolve(event.result))];
  const giveUp = (error: SemoError) => () => end.reject(error);
  const onAbort = giveUp(new SemoError('aborted', 'The wait was given up. The job goes on.'));
  const onClose = giveUp(new SemoError('closed', 'The office was closed.'));
  signal?.addEventListener('abort', onAbort, { once: true });
  closed.addEventListener('abort', onClose, { once: true });
  stops.push(
    () => signal?.removeEventListener('abort', onAbort),
    () => closed.removeEventListener('abort', onClose),
  );
  if (timeoutMs !== undefined)
    stops.push(
      clock.schedule(timeoutMs, giveUp(new SemoError('wait_timed_out', `The job did not end within ${timeoutMs} ms.`))),
    );
  if (signal?.aborted === true) onAbort();
  if (closed.aborted) onClose();
  stops.push(look(sources, jobId, end));
  try {
    return await end.promise;
  } finally {
    for (const stop of stops) stop();
  }
}

/** Looks into the store, now and again. */
function look({ jobs, clock, pollMs }: JobEndSources, jobId: string, end: PromiseWithResolvers<JobResult>): Cancel {
  let cancel: Cancel = () => undefined;
  let stopped = false;
  const once = async (): Promise<void> => {
    const record = await jobs.get(jobId);
    if (record === null) return end.reject(unknownJob(jobId));
    if (record.state.kind === 'ended') return end.resolve(record.state.result);
    if (pollMs !== null && !stopped) cancel = clock.schedule(pollMs, () => void once().catch(end.reject));
  };
  once().catch(end.reject);
  return () => {
    stopped = true;
    cancel();
  };
}
