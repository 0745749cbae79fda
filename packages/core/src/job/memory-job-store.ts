import { systemClock, type Clock } from '../clock.ts';
import { parseEdge } from '../parse-edge.ts';
import { jobChangeSchema, reopeningSchema, type JobChange, type JobRecord, type Reopening } from './job-record.ts';
import type { ClaimRequest, JobFilter, JobStore, LeaseRef, LeaseRequest } from './job-store.ts';
import {
  DEFAULT_JOB_LIMIT,
  byClaim,
  bySubmission,
  cancelledJob,
  changedJob,
  claimRequestSchema,
  claimedJob,
  endingSchema,
  isClaimable,
  isEndedBefore,
  isOverdue,
  jobFilterSchema,
  leaseRequestSchema,
  lostLease,
  matchesJobFilter,
  newJobRecord,
  renewedJob,
  reopenedJob,
  reportedJob,
  samePutAgain,
  unknownJob,
} from './job-transition.ts';
import { keptJobSpecSchema, type KeptJobSpec } from './job.ts';

/**
 * Keeps jobs in memory: they are gone with the process. For tests, and for offices that want nothing on disk.
 *
 * @param options - `clock`: whose time leases and deadlines go by. Default: the machine's. `maxEnded`: how many jobs that
 * have ended it remembers; beyond that the one that ended first is forgotten. Default 10 000.
 * @example
 * ```ts
 * const jobs = memoryJobStore();
 * await jobs.put({ jobId: newId('job'), prompt: 'Fix the test.', agentId: 'ada' });
 * const job = await jobs.claim({ owner: 'office_1', leaseMs: 30_000 });
 * ```
 */
export function memoryJobStore({
  clock = systemClock,
  maxEnded = 10_000,
}: { readonly clock?: Clock | undefined; readonly maxEnded?: number | undefined } = {}): JobStore {
  return new MemoryJobStore(clock, maxEnded);
}

class MemoryJobStore implements JobStore {
  readonly #records = new Map<string, JobRecord>();
  /** By when they ended, the first one first. */
  readonly #ended = new Set<string>();
  readonly #clock: Clock;
  readonly #maxEnded: number;

  constructor(clock: Clock, maxEnded: number) {
    this.#clock = clock;
    this.#maxEnded = maxEnded;
  }

  async put(job: KeptJobSpec, lease?: LeaseRequest): Promise<JobRecord> {
    const spec = parseEdge(keptJobSpecSchema, job, { what: 'job' });
    const parsed = lease && parseEdge(leaseRequestSchema, lease, { what: 'lease' });
    const kept = this.#records.get(spec.jobId);
    if (kept !== undefined) return structuredClone(samePutAgain(kept, spec));
    return this.#keep(newJobRecord(spec, { at: this.#clock.now(), lease: parsed }));
  }

  async get(jobId: string): Promise<JobRecord | null> {
    return structuredClone(this.#records.get(jobId) ?? null);
  }

  async list(filter: JobFilter = {}): Promise<JobRecord[]> {
    const { limit = DEFAULT_JOB_LIMIT } = parseEdge(jobFilterSchema, filter, { what: 'job filter' });
    const wanted = [...this.#records.values()].filter((record) => matchesJobFilter(record, filter));
    return structuredClone(wanted.toSorted(bySubmission).slice(0, limit));
  }

  async claim(request: ClaimRequest): Promise<JobRecord | null> {
    const { overdue = false, ...lease } = parseEdge(claimRequestSchema, request, { what: 'lease' });
    const at = this.#clock.now();
    const [next] = [...this.#records.values()]
      .filter((record) => isClaimable(record, at) && (!overdue || isOverdue(record, at)))
      .toSorted(byClaim);
    return next === undefined ? null : this.#keep(claimedJob(next, { ...lease, at }));
  }

  async renew(lease: LeaseRef, leaseMs: number): Promise<JobRecord> {
    parseEdge(leaseRequestSchema, { owner: lease.owner, leaseMs }, { what: 'lease' });
    return this.#keep(renewedJob(this.#held(lease), lease, { leaseMs, at: this.#clock.now() }));
  }

  async change(lease: LeaseRef, change: JobChange): Promise<JobRecord> {
    const parsed = parseEdge(jobChangeSchema, change, { what: 'change of a job' });
    return this.#keep(changedJob(this.#held(lease), lease, { change: parsed, at: this.#clock.now() }));
  }

  async requestCancel(jobId: string): Promise<JobRecord> {
    return this.#keep(cancelledJob(this.#known(jobId), this.#clock.now()));
  }

  async reopen(jobId: string, how: Reopening): Promise<JobRecord> {
    const parsed = parseEdge(reopeningSchema, how, { what: 'way to reopen a job' });
    return this.#keep(reopenedJob(this.#known(jobId), parsed, this.#clock.now()));
  }

  async markReported(jobId: string, ending: number): Promise<void> {
    const parsed = parseEdge(endingSchema, ending, { what: 'number of an end' });
    this.#keep(reportedJob(this.#known(jobId), parsed));
  }

  async prune(endedBefore: number): Promise<number> {
    const old = [...this.#records.values()].filter((record) => isEndedBefore(record, endedBefore));
    for (const { jobId } of old) this.#forget(jobId);
    return old.length;
  }

  async close(): Promise<void> {
    // What is kept in memory holds nothing, and offices may share it.
  }

  #known(jobId: string): JobRecord {
    const record = this.#records.get(jobId);
    if (record === undefined) throw unknownJob(jobId);
    return record;
  }

  #held(lease: LeaseRef): JobRecord {
    const record = this.#records.get(lease.jobId);
    if (record === undefined) throw lostLease(lease, null);
    return record;
  }

  /** What is kept is never handed out itself. */
  #keep(record: JobRecord): JobRecord {
    this.#records.set(record.jobId, structuredClone(record));
    if (record.state.kind === 'ended') this.#ended.add(record.jobId);
    else this.#ended.delete(record.jobId);
    const [first] = this.#ended;
    if (first !== undefined && this.#ended.size > this.#maxEnded) this.#forget(first);
    return structuredClone(record);
  }

  #forget(jobId: string): void {
    this.#records.delete(jobId);
    this.#ended.delete(jobId);
  }
}
