import type { JobChange, JobRecord, JobState, Reopening } from './job-record.ts';
import type { KeptJobSpec } from './job.ts';

/** Who asks for a job, and for how long it is theirs unless they renew. */
export interface LeaseRequest {
  /** One office process; a new id at each start. */
  readonly owner: string;
  readonly leaseMs: number;
}

/** Which job somebody asks for. */
export interface ClaimRequest extends LeaseRequest {
  /** Only one whose deadline has passed: for who has no room to work, and can still write its end. Default: any. */
  readonly overdue?: boolean | undefined;
}

/** The lease somebody believes to hold. */
export interface LeaseRef {
  readonly jobId: string;
  readonly owner: string;
  readonly fence: number;
}

/** Which jobs to list; what is left out does not matter. */
export interface JobFilter {
  readonly state?: readonly JobState['kind'][] | undefined;
  readonly agentId?: string | undefined;
  /** Only those whose end has, or has not, been told to the office's own job service; they have ended. */
  readonly reported?: boolean | undefined;
  /** At most so many. Default 1 000. */
  readonly limit?: number | undefined;
}

/**
 * Where jobs are kept. Several office processes may share one: a job is claimed for a while, under a fence that rises with
 * every claim, and whoever writes with an older one is refused. So two of them never do the same job. Time is the store's own.
 *
 * `describeJobStoreContract` of `@semo-office/core/testing` is the suite that every store passes.
 */
export interface JobStore {
  /**
   * Keeps a new job; on disk when it resolves, where there is one. With `lease` it is claimed at birth. The same id with
   * the same job gives the one that is kept, as it is.
   * @throws SemoError `job_conflict`: there is another job of that id.
   */
  put(job: KeptJobSpec, lease?: LeaseRequest): Promise<JobRecord>;
  get(jobId: string): Promise<JobRecord | null>;
  /** The oldest first. */
  list(filter?: JobFilter): Promise<JobRecord[]>;
  /**
   * Claims the next job that has not ended and that nobody holds, or whose holder's lease has run out: the highest priority,
   * then the oldest. `null`: there is none.
   */
  claim(request: ClaimRequest): Promise<JobRecord | null>;
  /** Holds on to a job. @throws SemoError `lease_lost`: it is somebody else's by now, or it has ended. */
  renew(lease: LeaseRef, leaseMs: number): Promise<JobRecord>;
  /** Writes about a job. @throws SemoError `lease_lost`. */
  change(lease: LeaseRef, change: JobChange): Promise<JobRecord>;
  /**
   * Asks for a job to end. One that nobody holds ends at once, as cancelled; else its holder learns of it by `renew`. Where
   * its last attempt is still open because its holder was lost or gave it back, whoever claims it next ends it.
   * @throws SemoError `job_unknown`.
   */
  requestCancel(jobId: string): Promise<JobRecord>;
  /**
   * Puts a job that has ended back into the queue. @throws SemoError `job_unknown`, `job_not_ended`.
   */
  reopen(jobId: string, how: Reopening): Promise<JobRecord>;
  /**
   * Marks one end of a job as told: the one after which the record had that many `endings`. Twice is once. A job that was
   * reopened since stays as it is: its next end is to be told too. @throws SemoError `job_unknown`.
   */
  markReported(jobId: string, ending: number): Promise<void>;
  /** Forgets jobs that ended before that moment, in epoch milliseconds; resolves with how many. */
  prune(endedBefore: number): Promise<number>;
  /** Lets go of what the store holds. */
  close(): Promise<void>;
}
