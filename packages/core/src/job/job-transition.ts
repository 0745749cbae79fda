import { z } from 'zod';

import { canonicalJson } from '../canonical-json.ts';
import { SemoError, assertNever } from '../errors.ts';
import { idSchema } from '../ids.ts';
import { turnError } from '../monitor/verdict.ts';
import type { AttemptRecord, JobChange, JobRecord, Reopening } from './job-record.ts';
import type { JobFilter, LeaseRef, LeaseRequest } from './job-store.ts';
import type { keptJobSpecSchema } from './job.ts';
import type { Attempt, JobResult } from './run-line.ts';

/** What a store parses a {@link LeaseRequest} with. */
export const leaseRequestSchema = z.object({ owner: idSchema, leaseMs: z.number().int().positive() });

/** What a store parses a {@link ClaimRequest} with. */
export const claimRequestSchema = leaseRequestSchema.extend({ overdue: z.boolean().optional() });

/** What a store parses a {@link JobFilter} with. */
export const jobFilterSchema = z.object({
  state: z.array(z.enum(['queued', 'running', 'ended'])).optional(),
  agentId: z.string().optional(),
  reported: z.boolean().optional(),
  limit: z.number().int().nonnegative().optional(),
});

/** What a store parses the number of an end with. */
export const endingSchema = z.number().int().positive();

/** The jobs a store lists unless it is told otherwise. */
export const DEFAULT_JOB_LIMIT = 1000;

/** When something is done to a record, in epoch milliseconds. */
interface Moment {
  readonly at: number;
}

/** A record for a job nobody has begun. With `lease` it is claimed at birth. Pure, as everything in this file. */
export function newJobRecord(
  spec: z.output<typeof keptJobSpecSchema>,
  { at, lease }: Moment & { readonly lease?: LeaseRequest | undefined },
): JobRecord {
  const record: JobRecord = {
    jobId: spec.jobId,
    spec,
    state: { kind: 'queued' },
    priority: spec.priority,
    submittedAt: at,
    deadlineAt: deadlineOf(spec, at),
    lease: null,
    fence: 0,
    cancelRequested: false,
    attempts: [],
    reopened: null,
    percent: null,
    endings: 0,
    reported: false,
  };
  return lease === undefined ? record : claimedJob(record, { ...lease, at });
}

/**
 * The record of a job that is put once more: as it is kept.
 * @throws SemoError `job_conflict`: it is another job.
 */
export function samePutAgain(record: JobRecord, spec: z.output<typeof keptJobSpecSchema>): JobRecord {
  if (canonicalJson(record.spec) === canonicalJson(spec)) return record;
  throw new SemoError('job_conflict', `There is another job ${spec.jobId}. Give this one an id of its own.`, {
    details: { jobId: spec.jobId },
  });
}

/**
 * Whether somebody may claim a job: it has not ended, and nobody holds it by now. Also one whose deadline has passed, so
 * that there is somebody who ends it.
 */
export function isClaimable({ state, lease }: JobRecord, at: number): boolean {
  return state.kind !== 'ended' && (lease === null || lease.expiresAt <= at);
}

/** Whether a job's deadline has passed. */
export function isOverdue({ deadlineAt }: JobRecord, at: number): boolean {
  return deadlineAt !== null && deadlineAt <= at;
}

/** Orders jobs by who is claimed first: the highest priority, then the oldest, then by id. */
export function byClaim(one: JobRecord, other: JobRecord): number {
  return other.priority - one.priority || bySubmission(one, other);
}

/** Orders jobs by age, the oldest first, then by id. */
export function bySubmission(one: JobRecord, other: JobRecord): number {
  // Code units, not a locale: every store must give the same order.
  return one.submittedAt - other.submittedAt || (one.jobId < other.jobId ? -1 : Number(one.jobId > other.jobId));
}

/** The record once it is claimed, under a fence above all before it. Only for one that {@link isClaimable}. */
export function claimedJob(record: JobRecord, { owner, leaseMs, at }: LeaseRequest & Moment): JobRecord {
  const fence = record.fence + 1;
  return { ...record, fence, lease: { owner, fence, expiresAt: at + leaseMs } };
}

/**
 * The record once its holder has held on to it. A lease that has run out is renewed as long as nobody else has claimed.
 * @throws SemoError `lease_lost`.
 */
export function renewedJob(
  record: JobRecord,
  ref: LeaseRef,
  { leaseMs, at }: Moment & { readonly leaseMs: number },
): JobRecord {
  return { ...record, lease: { ...heldLease(record, ref), expiresAt: at + leaseMs } };
}

/**
 * The record once its holder has written about it.
 * @throws SemoError `lease_lost`; `invalid_argument`: an attempt that does not follow the last one.
 */
export function changedJob(
  record: JobRecord,
  ref: LeaseRef,
  { change, at }: Moment & { readonly change: JobChange },
): JobRecord {
  heldLease(record, ref);
  switch (change.kind) {
    case 'started':
      return record.state.kind === 'running' ? record : { ...record, state: { kind: 'running', since: at } };
    case 'attempt':
      return withAttempt(record, change.attempt);
    case 'progress':
      return { ...record, percent: change.percent };
    case 'ended':
      return endedJob(record, { result: change.result, at });
    case 'released':
      return { ...record, lease: null };
    default:
      return assertNever(change);
  }
}

/**
 * The record once somebody has asked for it to end. One that nobody is at ends at once. One that is held, or whose last
 * attempt is still open since its holder was lost, is marked: whoever holds or claims it ends it, and what runs for it.
 */
export function cancelledJob(record: JobRecord, at: number): JobRecord {
  if (record.state.kind === 'ended') return record;
  const marked = { ...record, cancelRequested: true };
  if (!isClaimable(record, at) || record.attempts.at(-1)?.endedAt === null) return marked;
  return endedJob(marked, { result: cancelledResult(record, at), at });
}

/**
 * The record once it is back in the queue; its deadline counts from now.
 * @throws SemoError `job_not_ended`.
 */
export function reopenedJob(record: JobRecord, how: Reopening, at: number): JobRecord {
  if (record.state.kind !== 'ended')
    throw new SemoError('job_not_ended', `Job ${record.jobId} has not ended. Cancel it first, or wait for its end.`, {
      details: { jobId: record.jobId, state: record.state.kind },
    });
  return {
    ...record,
    state: { kind: 'queued' },
    deadlineAt: deadlineOf(record.spec, at),
    cancelRequested: false,
    reopened: how,
    percent: null,
    reported: false,
  };
}

/** The record once that end of it has been told. One that was reopened since has another end to tell, and stays. */
export function reportedJob(record: JobRecord, ending: number): JobRecord {
  return record.state.kind === 'ended' && record.endings === ending ? { ...record, reported: true } : record;
}

/** Whether a job ended before that moment, in epoch milliseconds. */
export function isEndedBefore({ state }: JobRecord, moment: number): boolean {
  return state.kind === 'ended' && state.at < moment;
}

/** Whether a job is one of those a filter asks for, its `limit` aside. */
export function matchesJobFilter({ spec, state, reported }: JobRecord, filter: JobFilter): boolean {
  return (
    (filter.state === undefined || filter.state.includes(state.kind)) &&
    (filter.agentId === undefined || filter.agentId === spec.agentId) &&
    (filter.reported === undefined || (state.kind === 'ended' && filter.reported === reported))
  );
}

/** What {@link JobResult} tells of a record's attempts: those that have ended. */
export function endedAttempts(attempts: readonly AttemptRecord[]): Attempt[] {
  return attempts.flatMap(({ reason, sessionId, turnId, outcome, startedAt, endedAt, error }) =>
    outcome === null || endedAt === null ? [] : [{ reason, sessionId, turnId, outcome, startedAt, endedAt, error }],
  );
}

/** The error for a job that is not kept. */
export function unknownJob(jobId: string): SemoError {
  return new SemoError('job_unknown', `There is no job ${jobId}.`, { details: { jobId } });
}

/** The error for a lease that is not held, or no longer; `record` is `null` where the job is not even kept. */
export function lostLease({ jobId, fence }: LeaseRef, record: JobRecord | null): SemoError {
  const latestFence = record?.fence ?? null;
  return new SemoError('lease_lost', `Job ${jobId} is not held under fence ${fence} by now. Stop working on it.`, {
    details: { jobId, fence, latestFence, state: record?.state.kind ?? null },
  });
}

function heldLease(record: JobRecord, ref: LeaseRef): NonNullable<JobRecord['lease']> {
  const { lease } = record;
  if (lease !== null && lease.owner === ref.owner && lease.fence === ref.fence) return lease;
  throw lostLease(ref, record);
}

function withAttempt(record: JobRecord, attempt: AttemptRecord): JobRecord {
  const { attempts } = record;
  if (attempt.number > attempts.length)
    throw new SemoError('invalid_argument', `The next attempt of job ${record.jobId} is number ${attempts.length}.`);
  const begins = attempt.number === attempts.length;
  const next = begins ? [...attempts, attempt] : attempts.with(attempt.number, attempt);
  return { ...record, attempts: next, reopened: begins ? null : record.reopened };
}

function endedJob(record: JobRecord, { result, at }: Moment & { readonly result: JobResult }): JobRecord {
  const endings = record.endings + 1;
  return { ...record, state: { kind: 'ended', at, result }, lease: null, reopened: null, endings, reported: false };
}

/** The result of a job that ends while nobody is at it. Its time counts from its submission. */
function cancelledResult({ spec, attempts, submittedAt }: JobRecord, at: number): JobResult {
  const last = attempts.at(-1);
  return {
    outcome: 'cancelled',
    confidence: 'certain',
    text: '',
    milestones: [],
    evidence: [],
    attempts: endedAttempts(attempts),
    // Empty: there never was a session.
    sessionId: last?.sessionId ?? spec.session?.sessionId ?? '',
    conversationId: last?.conversationId ?? null,
    workspace: null,
    durationMs: Math.max(0, at - submittedAt),
    error: turnError('turn_cancelled', 'The job was cancelled while nobody was working on it.'),
  };
}

function deadlineOf({ deadlineMs }: { readonly deadlineMs?: number | undefined }, at: number): number | null {
  return deadlineMs === undefined ? null : at + deadlineMs;
}
