import type { SemoError } from '../errors.ts';
import type { BreakerEvents } from '../policy/circuit-breaker.ts';
import type { PoolFault } from '../pool/pool.ts';
import type { JobWait } from './attempt-gate.ts';
import type { AttemptRecord, JobRecord } from './job-record.ts';
import type { JobResult, RunLine } from './run-line.ts';

/** What an office tells of its jobs, and of what it does them with. */
export interface JobEvents {
  /** A job was put into the queue here. */
  submitted: { readonly job: JobRecord };
  /** This process has begun to work on it, or gone on with it. */
  started: { readonly job: JobRecord };
  /** An attempt has begun, has come further or has ended; `role` is that of its session. */
  attempt: { readonly jobId: string; readonly attempt: AttemptRecord; readonly role: string | null };
  /** It waits; see {@link JobWait}. */
  waiting: { readonly jobId: string; readonly wait: JobWait };
  /** Everything its session tells, as `semo run --json` prints it. */
  line: { readonly jobId: string; readonly line: RunLine };
  /**
   * Its end is known and written down. In a worktree that goes with its session that one is gone by then, and the result says
   * what was kept; else the session may not be gone yet.
   */
  ended: { readonly jobId: string; readonly result: JobResult };
  /** A session of it is gone, and its worktree is still there: somebody has to look at it, or the next attempt goes on in it. */
  kept: { readonly jobId: string; readonly path: string; readonly reason: string };
  /** This process works on it no more, and does not know its end: it was left to another one, or lost to it. */
  left: { readonly jobId: string };
  /** A breaker has opened, half opened or closed. */
  breaker: BreakerEvents['state'];
  /** The pool met something and deals with it: a session that could not be opened, was lost, or could not be ended. */
  pool_fault: PoolFault;
  /** Everything that `onFault` is told. */
  fault: OfficeFault;
}

/** Something went wrong that failed no call: a job that could not be worked on, books that would not take its end. */
export interface OfficeFault {
  /** `null`: it is about no job, but about the office, its crew or its pool. */
  readonly jobId: string | null;
  readonly error: SemoError;
}
