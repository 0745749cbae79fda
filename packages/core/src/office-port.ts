import type { Clock } from './clock.ts';
import type { AgentProfile, AgentService } from './crew/agent-profile.ts';
import type { JobService, WorktreeService } from './crew/job-service.ts';
import type { WarmCounts } from './crew/warm-crew.ts';
import type { ExecuteOptions } from './job/job-desk.ts';
import type { JobEvents, OfficeFault } from './job/job-events.ts';
import type { JobWait } from './job/attempt-gate.ts';
import type { JobRecord } from './job/job-record.ts';
import type { JobFilter, JobStore } from './job/job-store.ts';
import type { JobSpec } from './job/job.ts';
import type { JobResult } from './job/run-line.ts';
import type { Notifier } from './notifier.ts';
import type { Backoff } from './policy/backoff.ts';
import type { BreakerState, CircuitBreakerOptions } from './policy/circuit-breaker.ts';
import type { FailurePolicy } from './policy/failure-policy.ts';
import type { RequestAnswerers } from './policy/request-desk.ts';
import type { PoolOptions } from './pool/pool.ts';
import type { PoolStatus } from './pool/pool-status.ts';
import type { SessionManager, Unsubscribe } from './session/session-manager.ts';

/** The parts an office is made of. */
export interface OfficeOptions {
  /** Where sessions run: here, or on hosts elsewhere. The office closes it when it closes. */
  readonly sessions: SessionManager;
  /**
   * A name that stays the same when the process is started again; no other living office may have it. Sessions that earlier
   * processes of this name have left on a host are ended, but for those of jobs that have not ended. Default: none, and
   * what a killed office has kept ready lives on as long as its host.
   */
  readonly officeId?: string | undefined;
  /** Its agents: a list, or the office's own service. Default: none, and every job says what session it needs. */
  readonly agents?: readonly AgentProfile[] | AgentService | undefined;
  /** How many sessions are kept ready, by agent. Default: one each for `FE`, `BE` and `QA`, as far as there are such. */
  readonly warm?: WarmCounts | undefined;
  /** How many sessions at once (default 6), and what becomes of them; see the pool. */
  readonly pool?: Omit<PoolOptions, 'sessions' | 'owner' | 'clock' | 'targets'> | undefined;
  /** Where jobs are kept. Offices that share a store share its jobs. The office closes none. Default: in memory. */
  readonly jobs?: JobStore | undefined;
  /** The office's own books, told of every end, at least once. */
  readonly jobService?: JobService | undefined;
  /**
   * How long an answer of `jobService` is waited for, in milliseconds: after that a report holds up no other, and `close()`
   * waits no longer than this for all that are left. What it has not taken by then stays untold in the store, for the next
   * office, and `onFault` is told. Default 10 000.
   */
  readonly reportPatienceMs?: number | undefined;
  /** The office's own way to make worktrees. Default: the host makes them. */
  readonly worktrees?: WorktreeService | undefined;
  /** Who answers what agents ask. Default: only whoever calls `sessions.answerRequest`. */
  readonly requests?: RequestAnswerers | undefined;
  /** Tells people of jobs that only they can help. Default: the notifier of `requests`, else nobody is told. */
  readonly notifier?: Notifier | undefined;
  /** What differs from the default failure policy. */
  readonly policy?:
    | { readonly classes?: Partial<FailurePolicy['classes']>; readonly codes?: FailurePolicy['codes'] }
    | undefined;
  /** When the breakers before the provider and each host open, and for how long. */
  readonly breakers?:
    | {
        readonly provider?: Omit<CircuitBreakerOptions, 'name' | 'clock'> | undefined;
        readonly host?: Omit<CircuitBreakerOptions, 'name' | 'clock'> | undefined;
      }
    | undefined;
  readonly backoff?: Partial<Backoff> | undefined;
  /**
   * For how long a host that does not answer is waited for, to learn what became of its turns; in milliseconds. 0: not at
   * all, and what it had is lost from sight. Default 600 000.
   */
  readonly hostPatienceMs?: number | undefined;
  /** Jobs at work at once. Default: as many as the pool has sessions. */
  readonly concurrency?: number | undefined;
  /** How long a job is this process's own before it must say that it still is, in milliseconds. Default 30 000. */
  readonly leaseMs?: number | undefined;
  /** How often it looks into a store of jobs that it was given, in milliseconds. Default 1 000. */
  readonly pollMs?: number | undefined;
  /** How long jobs that have ended are kept, in milliseconds. Default 7 days. */
  readonly keepEndedMs?: number | undefined;
  /** Told of what went wrong behind the scenes. Default: printed to the error console. */
  readonly onFault?: ((fault: OfficeFault) => void) | undefined;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
}

/** What an office is at. */
export interface OfficeStatus {
  /** The jobs that this process works on, and what they wait for. */
  readonly running: readonly { readonly jobId: string; readonly wait: JobWait | null }[];
  readonly pool: PoolStatus;
  readonly breakers: readonly {
    readonly name: string;
    readonly state: BreakerState;
    readonly retryAt: number | null;
  }[];
}

/** Gives jobs to agents. */
export interface Office {
  /** The sessions the office works with, for whoever wants to look closer. */
  readonly sessions: SessionManager;
  /**
   * Does one job from beginning to end, at once if there is room. How it ended is the result's outcome; only a job that
   * could not begin throws. With the id of a job that has been given before, its result is that one's.
   * @throws SemoError `invalid_argument`, `invalid_prompt`, `prompt_too_long`, `job_conflict`, `lease_lost`; `closed`: where it
   * was kept before the office was closed but not begun, it stays in the queue for the next office of that store.
   */
  executeJob(job: JobSpec, call?: ExecuteOptions): Promise<JobResult>;
  /**
   * Puts a job into the queue; resolves when it is kept. Whichever office process of that store has room does it, the next one
   * if this one is closed by then.
   * @throws SemoError `invalid_argument`, `invalid_prompt`, `prompt_too_long`, `job_conflict`, `closed`.
   */
  submitJob(job: JobSpec): Promise<JobRecord>;
  /** Resolves when a job has ended. @throws SemoError `invalid_argument`, `job_unknown`, `wait_timed_out`, `aborted`, `closed`. */
  waitForJob(
    jobId: string,
    wait?: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<JobResult>;
  /** A job as it is kept; `null`: there is none of that id. */
  getJob(jobId: string): Promise<JobRecord | null>;
  /** The oldest first. */
  listJobs(filter?: JobFilter): Promise<JobRecord[]>;
  /**
   * Ends a job, wherever it is worked on: another office process learns of it when it renews its lease, every third of
   * `leaseMs`. One that has ended stays as it is. @throws SemoError `job_unknown`.
   */
  cancelJob(jobId: string): Promise<JobRecord>;
  /** Has a job that has ended done again, in a new conversation. @throws SemoError `job_unknown`, `job_not_ended`. */
  retryJob(jobId: string): Promise<JobRecord>;
  /** Has a job that has ended gone on with, in its conversation if that was kept. @throws SemoError as `retryJob`. */
  resumeJob(jobId: string): Promise<JobRecord>;
  /** Resolves when the sessions that are kept ready have been opened, as far as they could be; why not, `onFault` is told. */
  ready(): Promise<void>;
  /** What this process is at, now. */
  status(): Promise<OfficeStatus>;
  /**
   * Tells what this process does; the jobs of others on the same store are `listJobs`'.
   * @throws SemoError `invalid_argument`: there is no such event, or the listener is no function.
   */
  on<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents[Name]) => void): Unsubscribe;
  /**
   * Lets go of everything. Jobs at work are cancelled, or with `leave` left as they are for the next office process: their
   * sessions go on where these outlive this one, and who waits for them here is refused as `closed`.
   * @throws SemoError `invalid_argument`: another way to close it.
   */
  close(options?: { readonly running?: 'cancel' | 'leave' | undefined }): Promise<void>;
}
