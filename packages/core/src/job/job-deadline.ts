import type { Cancel, Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import type { JobRecord } from './job-record.ts';

/** A job that is claimed, and what ends it before its time. */
export interface ClaimedJob {
  readonly record: JobRecord;
  readonly abort: AbortController;
  /** When it must have ended, by this process's clock, in epoch milliseconds; `null`: no such moment. */
  readonly deadlineAt: number | null;
}

/**
 * When a job that was claimed just now must have ended, by the claimer's clock, in epoch milliseconds; `null`: no such moment.
 * The store goes by a clock of its own, which may be another machine's; what that said at the claim is told by the lease, which
 * is as long as it was asked for. Pure.
 */
export function deadlineHere(
  { deadlineAt, lease }: Pick<JobRecord, 'deadlineAt' | 'lease'>,
  { leaseMs, now }: { readonly leaseMs: number; readonly now: number },
): number | null {
  if (deadlineAt === null || lease === null) return deadlineAt;
  const claimedAt = lease.expiresAt - leaseMs;
  return now + deadlineAt - claimedAt;
}

/** Ends a job as its deadline passes, at once where it has; gives what calls that off. */
export function endInTime(clock: Clock, { record: { spec }, abort, deadlineAt }: ClaimedJob): Cancel {
  if (deadlineAt === null) return () => undefined;
  const error = new SemoError('deadline_passed', `The job had not ended ${spec.deadlineMs} ms after it was submitted.`);
  const leftMs = deadlineAt - clock.now();
  if (leftMs <= 0) abort.abort(error);
  return clock.schedule(Math.max(0, leftMs), () => abort.abort(error));
}
