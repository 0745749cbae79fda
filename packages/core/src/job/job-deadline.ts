import type { JobRecord } from './job-record.ts';

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
