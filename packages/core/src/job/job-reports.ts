import type { Clock } from '../clock.ts';
import type { JobService } from '../crew/job-service.ts';
import { SemoError } from '../errors.ts';
import { withinTime } from '../pool/within-time.ts';
import type { JobRecord } from './job-record.ts';
import type { JobStore } from './job-store.ts';
import type { JobResult } from './run-line.ts';

/** A store that was left with many untold ends must not flood the books with all of them at once. */
const REPORTS_AT_ONCE = 8;

/** What {@link JobReports} works with. */
export interface JobReportsOptions {
  readonly jobs: JobStore;
  readonly service: JobService;
  readonly clock: Clock;
  /** How long a report may hold up others, and all that are left together the closing, in milliseconds. */
  readonly patienceMs: number;
  readonly onFault: (error: SemoError, jobId: string | null) => void;
}

/** One end, on its way to the books. */
interface Report {
  readonly job: JobRecord;
  readonly result: JobResult;
  readonly key: string;
  /** It has not been answered in time: nobody waits for it any more. */
  isOverdue: boolean;
}

/**
 * Tells the office's own books of every end, until they have taken it. Some are told at once, so that one that is never
 * answered holds up nothing but itself; it is not told again by this process as long as it may still be answered.
 */
export class JobReports {
  readonly #options: JobReportsOptions;
  readonly #open = new Map<string, Report>();
  readonly #waiting: Report[] = [];
  #atOnce = 0;
  /** What was taken while the store was being asked: the answer may be older. */
  #taken = new Set<string>();
  #looking: Promise<void> = Promise.resolve();
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: JobReportsOptions) {
    this.#options = options;
  }

  /** Begins to tell all ends that have not been told; also those that another office process has left. */
  tell(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Waits for what is being told, as long as there is patience. The rest stays untold in the store, for the next office. */
  async close(): Promise<void> {
    const { clock, patienceMs } = this.#options;
    const all = this.tell().then(() => this.#untilIdle());
    await withinTime(all, { clock, ms: patienceMs, what: 'Telling the job service' }).catch(() => undefined);
    this.#closed = true;
    for (const report of this.#open.values()) this.#giveUp(report);
  }

  async #look(): Promise<void> {
    this.#taken = new Set();
    const untold = await this.#untold();
    if (this.#closed) return;
    for (const job of untold) {
      const key = `${job.jobId} ${job.endings}`;
      if (job.state.kind !== 'ended' || this.#open.has(key) || this.#taken.has(key)) continue;
      const report = { job, result: job.state.result, key, isOverdue: false };
      this.#open.set(key, report);
      this.#waiting.push(report);
    }
    this.#begin();
  }

  async #untold(): Promise<JobRecord[]> {
    const { jobs, onFault } = this.#options;
    return jobs.list({ state: ['ended'], reported: false }).catch((thrown: unknown) => {
      onFault(SemoError.from(thrown), null);
      return [];
    });
  }

  #begin(): void {
    while (this.#atOnce < REPORTS_AT_ONCE) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#atOnce += 1;
      void this.#tellOne(next);
    }
    if ([...this.#open.values()].some(({ isOverdue }) => !isOverdue)) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #tellOne(report: Report): Promise<void> {
    const { clock, patienceMs } = this.#options;
    const telling = this.#report(report);
    const what = `Telling the job service of the end of job ${report.job.jobId}`;
    await withinTime(telling, { clock, ms: patienceMs, what }).catch(() => this.#giveUp(report));
    this.#atOnce -= 1;
    if (!this.#closed) this.#begin();
  }

  /** Never throws: what was not taken is told again with the next end. */
  async #report({ job, result, key }: Report): Promise<void> {
    const { jobs, service, onFault } = this.#options;
    try {
      await service.onJobComplete(job, result);
      // The next office has been promised that this one writes no more.
      if (this.#closed) return;
      await jobs.markReported(job.jobId, job.endings);
      this.#taken.add(key);
    } catch (thrown) {
      if (!this.#closed) onFault(SemoError.from(thrown), job.jobId);
    } finally {
      this.#open.delete(key);
    }
  }

  #giveUp(report: Report): void {
    if (report.isOverdue) return;
    report.isOverdue = true;
    const { patienceMs, onFault } = this.#options;
    const { jobId } = report.job;
    const said = `The job service has not taken the end of job ${jobId} within ${patienceMs} ms.`;
    const next = 'Until it does, the job stays untold in the store, and the next office tells it again.';
    onFault(new SemoError('wait_timed_out', `${said} ${next}`), jobId);
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#begin();
    });
  }
}
