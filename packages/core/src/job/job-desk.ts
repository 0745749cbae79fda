import type { JobService } from '../crew/job-service.ts';
import { SemoError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import { newId } from '../ids.ts';
import type { Notifier } from '../notifier.ts';
import { parseEdge } from '../parse-edge.ts';
import { needsPerson } from '../policy/failure-policy.ts';
import { checkPrompt } from '../session/prompt.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import type { JobWait } from './attempt-gate.ts';
import type { JobEvents, OfficeFault } from './job-events.ts';
import type { JobParts } from './job-parts.ts';
import type { JobRecord, Reopening } from './job-record.ts';
import { JobReports } from './job-reports.ts';
import { JobRunner } from './job-runner.ts';
import { jobNotice } from './job-notice.ts';
import { jobPrompt } from './job-prompt.ts';
import { waitForEnd } from './job-waiting.ts';
import { jobSpecSchema, type JobSpec, type KeptJobSpec } from './job.ts';
import type { JobResult, RunLine } from './run-line.ts';

/** How a job is to be watched and stopped. */
export interface ExecuteOptions {
  /** Cancels the job: its turn ends as `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of everything while it happens; `result` comes last. What it throws, `onFault` is told. */
  readonly onLine?: ((line: RunLine) => void) | undefined;
}

/** Options of {@link JobDesk}. */
export interface JobDeskOptions {
  readonly parts: JobParts;
  readonly owner: string;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** `null`: nobody else puts jobs into this store. */
  readonly pollMs: number | null;
  /** How long jobs that have ended are kept. */
  readonly keepEndedMs: number;
  readonly service: JobService | null;
  /** How long its answers are waited for. */
  readonly reportPatienceMs: number;
  readonly notifier: Notifier | null;
  readonly onFault?: ((fault: OfficeFault) => void) | undefined;
}

/** How often it is looked for jobs that ended too long ago; only when one ends, so that no timer keeps a process alive. */
const PRUNE_EVERY_MS = 3_600_000;

/** Where jobs are handed in, asked for, and taken back. */
export class JobDesk {
  readonly #options: JobDeskOptions;
  readonly #hub = new EventHub<JobEvents>();
  readonly #runner: JobRunner;
  readonly #reports: JobReports | null;
  readonly #closed = new AbortController();
  /** Jobs that are being put to be begun at once. */
  readonly #beginning = new Set<Promise<unknown>>();
  #pruneAt = 0;

  constructor(options: JobDeskOptions) {
    const { parts, owner, leaseMs, concurrency, pollMs, service, reportPatienceMs: patienceMs } = options;
    this.#options = options;
    this.#runner = new JobRunner({ parts, owner, leaseMs, concurrency, pollMs });
    const onFault = (error: SemoError, jobId: string | null): void => this.fault(error, jobId);
    this.#reports = service === null ? null : new JobReports({ ...parts, service, patienceMs, onFault });
    this.#passOn();
  }

  get running(): readonly { readonly jobId: string; readonly wait: JobWait | null }[] {
    return this.#runner.running;
  }

  on<Name extends keyof JobEvents>(name: Name, listener: (event: JobEvents[Name]) => void): Unsubscribe {
    return this.#hub.on(name, listener);
  }

  /** Begins to look for work, and tells of ends that an earlier process has left untold. */
  open(): void {
    this.#runner.wake();
    void this.#reports?.tell();
    this.#prune();
  }

  async execute(job: JobSpec, { signal, onLine }: ExecuteOptions = {}): Promise<JobResult> {
    const kept = this.#kept(job);
    const { clock } = this.#options.parts;
    // What it throws changes nothing about the job.
    const tell = (line: RunLine): void => {
      try {
        onLine?.(line);
      } catch (thrown) {
        this.fault(SemoError.from(thrown), kept.jobId);
      }
    };
    const off = onLine && this.#hub.on('line', ({ jobId, line }) => jobId === kept.jobId && tell(line));
    // Also where it is done by another office, or waits.
    const cancel = (): void =>
      void this.cancel(kept.jobId).catch((thrown: unknown) => this.fault(SemoError.from(thrown), kept.jobId));
    try {
      const { result } = await this.#begin(kept);
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted === true) cancel();
      const known = await result;
      tell({ type: 'result', at: clock.now(), ...known });
      return known;
    } finally {
      signal?.removeEventListener('abort', cancel);
      off?.();
    }
  }

  async submit(job: JobSpec): Promise<JobRecord> {
    const record = await this.#options.parts.jobs.put(this.#kept(job));
    this.#hub.emit('submitted', { job: record });
    this.#runner.queued(record);
    return record;
  }

  wait(
    jobId: string,
    wait: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<JobResult> {
    const { parts, pollMs } = this.#options;
    const { jobs, clock } = parts;
    const onEnded = (listener: (event: JobEvents['ended']) => void) => this.#hub.on('ended', listener);
    return waitForEnd({ jobs, clock, pollMs, onEnded, closed: this.#closed.signal }, jobId, wait);
  }

  async cancel(jobId: string): Promise<JobRecord> {
    const { jobs } = this.#options.parts;
    this.#runner.abort(jobId, new SemoError('turn_cancelled', 'The job was cancelled.'));
    const before = await jobs.get(jobId);
    // Its end has been told.
    if (before?.state.kind === 'ended') return before;
    const record = await jobs.requestCancel(jobId);
    const { state } = record;
    this.#runner.unqueued(jobId);
    if (state.kind === 'ended' && !this.#runner.has(jobId)) this.#ended(jobId, state.result);
    return record;
  }

  async reopen(jobId: string, how: Reopening): Promise<JobRecord> {
    this.#mustBeOpen();
    const record = await this.#options.parts.jobs.reopen(jobId, how);
    this.#runner.queued(record);
    return record;
  }

  /** Takes nothing more; what is at work is cancelled, or left to the next office process. */
  async close(running: 'cancel' | 'leave'): Promise<void> {
    this.#closed.abort(new SemoError('closed', 'The office is closed. Create a new one.'));
    const begun = Promise.allSettled(this.#beginning);
    await this.#runner.close(running);
    await begun;
    await this.#reports?.close();
  }

  /** Nobody is told anything any more. */
  fallSilent(): void {
    this.#hub.clear();
  }

  fault(error: SemoError, jobId: string | null = null): void {
    const { onFault = printFault } = this.#options;
    this.#hub.emit('fault', { jobId, error });
    try {
      onFault({ jobId, error });
    } catch (thrown) {
      printFault({ jobId, error });
      printFault({ jobId, error: SemoError.from(thrown) });
    }
  }

  /** Puts a job and begins it, unless it is another's or has been begun. Closing waits for that, and not for what comes of it. */
  #begin(kept: KeptJobSpec & { readonly jobId: string }): Promise<{ readonly result: Promise<JobResult> }> {
    const { parts, owner, leaseMs } = this.#options;
    const begin = async (): Promise<{ readonly result: Promise<JobResult> }> => {
      const record = await parts.jobs.put(kept, { owner, leaseMs });
      const isNew = record.lease?.owner === owner && record.fence === 1 && !this.#runner.has(record.jobId);
      if (!isNew || record.state.kind !== 'queued') return { result: this.wait(kept.jobId) };
      if (!this.#closed.signal.aborted) return { result: this.#runner.take(record) };
      // Put too late to be begun here: the next office has it at once.
      await this.#runner.giveBack(record);
      throw this.#closed.signal.reason;
    };
    const beginning = begin().finally(() => this.#beginning.delete(beginning));
    this.#beginning.add(beginning);
    return beginning;
  }

  #kept(job: JobSpec): KeptJobSpec & { readonly jobId: string } {
    this.#mustBeOpen();
    const parsed = parseEdge(jobSpecSchema, job, { what: 'job' });
    checkPrompt(parsed.prompt);
    // What the agent is told in the end must fit too, context and all.
    checkPrompt(jobPrompt({ ...parsed, reason: 'restart', remembers: false }));
    return { ...parsed, jobId: parsed.jobId ?? newId('job') };
  }

  #mustBeOpen(): void {
    if (this.#closed.signal.aborted) throw this.#closed.signal.reason;
  }

  #passOn(): void {
    const names = ['started', 'attempt', 'waiting', 'line', 'left', 'kept'] as const;
    for (const name of names) this.#runner.on(name, (event) => this.#hub.emit(name, event as never));
    const { provider, hosts, pool } = this.#options.parts;
    pool.on('fault', (fault) => {
      this.#hub.emit('pool_fault', fault);
      this.fault(fault.error);
    });
    for (const breaker of [provider, hosts]) breaker.on('state', (event) => this.#hub.emit('breaker', event));
    this.#runner.on('ended', ({ jobId, result }) => this.#ended(jobId, result));
    this.#runner.on('fault', ({ jobId, error }) => this.fault(error, jobId));
  }

  #prune(): void {
    const { parts, keepEndedMs } = this.#options;
    const now = parts.clock.now();
    if (now < this.#pruneAt) return;
    this.#pruneAt = now + PRUNE_EVERY_MS;
    parts.jobs.prune(now - keepEndedMs).catch((thrown: unknown) => this.fault(SemoError.from(thrown)));
  }

  #ended(jobId: string, result: JobResult): void {
    this.#hub.emit('ended', { jobId, result });
    void this.#reports?.tell();
    this.#prune();
    const { error } = result;
    const { notifier, parts } = this.#options;
    if (notifier === null || error === null || !needsPerson(parts.policy, error)) return;
    const notice = jobNotice({ jobId, result, error, at: parts.clock.now() });
    const telling = async (): Promise<void> => notifier.notify(notice, { signal: this.#closed.signal });
    telling().catch((thrown: unknown) => this.fault(SemoError.from(thrown), jobId));
  }
}

function printFault({ jobId, error }: OfficeFault): void {
  // oxlint-disable-next-line no-console -- nobody said where else to tell of it
  console.error(`semo-office: ${jobId ?? 'the office'}: ${error.message}`);
}
