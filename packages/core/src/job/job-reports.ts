import type { JobService } from '../crew/job-service.ts';
import { SemoError } from '../errors.ts';
import type { JobStore } from './job-store.ts';

/** Tells the office's own books of every end, until they have taken it. */
export class JobReports {
  readonly #jobs: JobStore;
  readonly #service: JobService;
  readonly #onFault: (error: SemoError, jobId: string) => void;
  #telling: Promise<void> = Promise.resolve();

  constructor({
    jobs,
    service,
    onFault,
  }: {
    readonly jobs: JobStore;
    readonly service: JobService;
    readonly onFault: (error: SemoError, jobId: string) => void;
  }) {
    this.#jobs = jobs;
    this.#service = service;
    this.#onFault = onFault;
  }

  /** Tells of all ends that have not been told, one after the other; also those that another office process has left. */
  tell(): Promise<void> {
    this.#telling = this.#telling.then(() => this.#tellAll());
    return this.#telling;
  }

  async #tellAll(): Promise<void> {
    const untold = await this.#jobs.list({ state: ['ended'], reported: false }).catch(() => []);
    for (const job of untold) {
      if (job.state.kind !== 'ended') continue;
      try {
        await this.#service.onJobComplete(job, job.state.result);
        await this.#jobs.markReported(job.jobId, job.endings);
      } catch (thrown) {
        // It stays untold, and is told again with the next end, or by the next look.
        this.#onFault(SemoError.from(thrown), job.jobId);
      }
    }
  }
}
