import type { Cancel } from '../clock.ts';
import { SemoError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import type { JobWait } from './attempt-gate.ts';
import { followSession } from './job-lines.ts';
import type { JobParts } from './job-parts.ts';
import type { AttemptRecord, JobRecord } from './job-record.ts';
import { deadlineHere, endInTime, type ClaimedJob } from './job-deadline.ts';
import { JobRun } from './job-run.ts';
import { holdLease } from './job-lease.ts';
import type { LeaseRef } from './job-store.ts';
import { QueueAlarm } from './queue-alarm.ts';
import type { JobResult, RunLine } from './run-line.ts';

/** What {@link JobRunner} is told to keep to. */
export interface JobRunnerOptions {
  readonly parts: JobParts;
  /** This office process. */
  readonly owner: string;
  readonly leaseMs: number;
  /** How many jobs are worked on at once. */
  readonly concurrency: number;
  /** How often it looks for jobs that others have put or left; `null`: there are no others. */
  readonly pollMs: number | null;
}

/** What a runner tells. */
export interface JobRunnerEvents {
  line: { readonly jobId: string; readonly line: RunLine };
  started: { readonly job: JobRecord };
  attempt: { readonly jobId: string; readonly attempt: AttemptRecord; readonly role: string | null };
  waiting: { readonly jobId: string; readonly wait: JobWait };
  ended: { readonly jobId: string; readonly result: JobResult };
  kept: { readonly jobId: string; readonly path: string; readonly reason: string };
  left: { readonly jobId: string };
  /** A job was let go of without its end, or could not be worked on. */
  fault: { readonly jobId: string | null; readonly error: SemoError };
}

interface Running extends ClaimedJob {
  readonly done: Promise<JobResult>;
  wait: JobWait | null;
  /** What is left of it is only being cleared up. */
  hasEnded: boolean;
}

/** Claims jobs and works on them, as many at once as it may, each under its lease. */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #hub = new EventHub<JobRunnerEvents>();
  readonly #running = new Map<string, Running>();
  readonly #alarm: QueueAlarm;
  #cancelPoll: Cancel | null = null;
  #claiming: Promise<void> | null = null;
  #again = false;
  #closed = false;
  /** Why those are let go of that are at work when it is closed. */
  readonly #leaving = new SemoError('lease_lost', 'The office was closed.');

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    this.#alarm = new QueueAlarm(options.parts.clock, () => this.wake());
  }

  on<Name extends keyof JobRunnerEvents>(name: Name, listener: (event: JobRunnerEvents[Name]) => void): Unsubscribe {
    return this.#hub.on(name, listener);
  }

  /** The jobs it works on. */
  get running(): readonly { readonly jobId: string; readonly wait: JobWait | null }[] {
    return [...this.#running].flatMap(([jobId, { wait, hasEnded }]) => (hasEnded ? [] : [{ jobId, wait }]));
  }

  /** Whether that job is worked on here. */
  has(jobId: string): boolean {
    return this.#running.has(jobId);
  }

  /** Works on a job that is claimed already, as soon as it may. */
  take(record: JobRecord): Promise<JobResult> {
    return this.#start(record).done;
  }

  /** Looks for jobs now, since there is that one; where it is to wait, not for longer than its deadline. */
  queued(record: JobRecord): void {
    // It may have been begun before this is told.
    if (!this.#closed && !this.has(record.jobId)) this.#alarm.watch(record);
    this.wake();
  }

  /** A job that waited has ended without having been begun. */
  unqueued(jobId: string): void {
    this.#alarm.forget(jobId);
  }

  /** Looks for jobs now. */
  wake(): void {
    if (this.#closed) return;
    if (this.#claiming !== null) {
      this.#again = true;
      return;
    }
    this.#claiming = this.#claim().finally(() => {
      this.#claiming = null;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  /** Ends a job that is worked on here. */
  abort(jobId: string, reason: SemoError): void {
    this.#running.get(jobId)?.abort.abort(reason);
  }

  /** Takes no more jobs, and cancels those at work, or lets go of them as they are. */
  async close(running: 'cancel' | 'leave'): Promise<void> {
    this.#closed = true;
    this.#cancelPoll?.();
    this.#alarm.stop();
    await this.#claiming;
    const reason = running === 'cancel' ? new SemoError('turn_cancelled', 'The office was closed.') : this.#leaving;
    const atWork = [...this.#running.values()];
    for (const { abort } of atWork) abort.abort(reason);
    await Promise.allSettled(atWork.map(({ done }) => done));
    if (running === 'cancel') return;
    await Promise.all(atWork.map(({ record }) => this.giveBack(record)));
  }

  /** Lets go of a job that is claimed, as it is. Where that cannot be written, its lease runs out. */
  async giveBack(record: JobRecord): Promise<void> {
    await this.#options.parts.jobs.change(this.#refOf(record), { kind: 'released' }).catch(() => undefined);
  }

  async #claim(): Promise<void> {
    this.#cancelPoll?.();
    const { parts, owner, leaseMs, concurrency, pollMs } = this.#options;
    try {
      while (!this.#closed) {
        // What is overdue needs no room, only its end.
        const overdue = this.#running.size >= concurrency;
        const record = await parts.jobs.claim({ owner, leaseMs, overdue });
        if (record === null) break;
        // Claimed while the office was being closed.
        if (this.#closed) await this.giveBack(record);
        else this.#start(record).done.catch(() => undefined);
      }
    } catch (thrown) {
      this.#hub.emit('fault', { jobId: null, error: SemoError.from(thrown) });
    }
    if (!this.#closed && pollMs !== null) this.#cancelPoll = parts.clock.schedule(pollMs, () => this.wake());
  }

  #start(record: JobRecord): Running {
    const { parts, leaseMs } = this.#options;
    const deadlineAt = deadlineHere(record, { leaseMs, now: parts.clock.now() });
    const claimed: ClaimedJob = { record, abort: new AbortController(), deadlineAt };
    this.#alarm.forget(record.jobId);
    // Reopened as soon as it had ended: what it had then is let go of first.
    const before = this.#running.get(record.jobId)?.done;
    const running: Running = { ...claimed, wait: null, hasEnded: false, done: this.#work(claimed, before) };
    this.#running.set(record.jobId, running);
    return running;
  }

  async #work(claimed: ClaimedJob, before?: Promise<unknown>): Promise<JobResult> {
    const { record, abort } = claimed;
    const { jobId } = record;
    const { parts, leaseMs } = this.#options;
    const ref = this.#refOf(record);
    // The map must know of it before anything is told.
    await Promise.resolve();
    const stopRenewing = holdLease(parts, ref, {
      leaseMs,
      abort,
      onFault: (error) => this.#hub.emit('fault', { jobId, error }),
    });
    await before?.catch(() => undefined);
    const stopDeadline = endInTime(parts.clock, claimed);
    const unfollow: Unsubscribe[] = [];
    this.#hub.emit('started', { job: record });
    // Asked for while nobody held it: what still runs for it is ended by whoever claims it.
    if (record.cancelRequested) abort.abort(new SemoError('turn_cancelled', 'The job was cancelled.'));
    try {
      return await this.#run(claimed, ref, unfollow).run();
    } catch (thrown) {
      const error = SemoError.from(thrown);
      this.#hub.emit('left', { jobId });
      // Let go of on purpose, it is nobody's fault.
      if (error !== abort.signal.reason) this.#hub.emit('fault', { jobId, error });
      // Its lease is given back on purpose: who waits for its end need only know where to ask on.
      throw error === this.#leaving
        ? new SemoError('closed', 'The office was closed. The next one goes on with the job.')
        : error;
    } finally {
      stopRenewing();
      stopDeadline();
      for (const stop of unfollow) stop();
      if (this.#running.get(jobId)?.abort === abort) this.#running.delete(jobId);
      this.wake();
    }
  }

  #run({ record, abort, deadlineAt }: ClaimedJob, ref: LeaseRef, unfollow: Unsubscribe[]): JobRun {
    const { parts } = this.#options;
    const { jobId } = record;
    const tell = (line: RunLine): void => this.#line(ref, line);
    return new JobRun(parts, record, {
      signal: abort.signal,
      deadlineAt,
      write: (change) => parts.jobs.change(ref, change),
      onSession: (sessionId) => {
        for (const stop of unfollow.splice(0)) stop();
        unfollow.push(followSession(parts.sessions, sessionId, tell));
      },
      onAttempt: (attempt, role) => this.#hub.emit('attempt', { jobId, attempt, role }),
      onEnded: (result) => this.#onEnded(jobId, { abort, result }),
      onKept: (kept) => this.#hub.emit('kept', { jobId, ...kept }),
      onFault: (error) => this.#hub.emit('fault', { jobId, error }),
      onWait: (wait) => {
        const running = this.#running.get(jobId);
        if (running !== undefined) running.wait = wait;
        this.#hub.emit('waiting', { jobId, wait });
      },
    });
  }

  #onEnded(jobId: string, { abort, result }: { abort: AbortController; result: JobResult }): void {
    const running = this.#running.get(jobId);
    if (running?.abort === abort) running.hasEnded = true;
    this.#hub.emit('ended', { jobId, result });
  }

  #line(ref: LeaseRef, line: RunLine): void {
    this.#hub.emit('line', { jobId: ref.jobId, line });
    if (line.type !== 'progress') return;
    // Only told: the next one says it again, and the end stands in the result.
    const { percent } = line;
    this.#options.parts.jobs.change(ref, { kind: 'progress', percent }).catch(() => undefined);
  }

  #refOf({ jobId, fence }: JobRecord): LeaseRef {
    return { jobId, owner: this.#options.owner, fence };
  }
}
