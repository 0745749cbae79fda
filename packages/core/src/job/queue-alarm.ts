import type { Cancel, Clock } from '../clock.ts';
import type { JobRecord } from './job-record.ts';

/** Rings when the deadline of a job passes that nobody has begun, so that its end is not told only when there is room. */
export class QueueAlarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  readonly #deadlines = new Map<string, number>();
  /** When it rings next: no later than the first deadline. */
  #at = Number.POSITIVE_INFINITY;
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /**
   * Has an eye on a job that was put, or taken up again, just now. By this clock, and not by the moment that the store wrote
   * down: that may be another machine's. Where the store knew the job already, it may ring late.
   */
  watch({ jobId, state, lease, spec: { deadlineMs } }: JobRecord): void {
    if (state.kind !== 'queued' || lease !== null || deadlineMs === undefined) return;
    const deadlineAt = Math.min(this.#deadlines.get(jobId) ?? Number.POSITIVE_INFINITY, this.#clock.now() + deadlineMs);
    this.#deadlines.set(jobId, deadlineAt);
    if (deadlineAt < this.#at) this.#set(deadlineAt);
  }

  /** It has been begun, or has ended. */
  forget(jobId: string): void {
    // To ring for nothing harms nobody; only that nothing is left to ring for must not keep a process alive.
    if (this.#deadlines.delete(jobId) && this.#deadlines.size === 0) this.stop();
  }

  stop(): void {
    this.#deadlines.clear();
    this.#set(Number.POSITIVE_INFINITY);
  }

  #set(at: number): void {
    this.#cancel();
    this.#at = at;
    // A timer may be a trace early by the clock it is compared with.
    const delayMs = Math.max(0, at - this.#clock.now()) + 1;
    this.#cancel = at === Number.POSITIVE_INFINITY ? () => undefined : this.#clock.schedule(delayMs, () => this.#due());
  }

  #due(): void {
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [jobId, deadlineAt] of this.#deadlines)
      if (deadlineAt <= now) this.#deadlines.delete(jobId);
      else next = Math.min(next, deadlineAt);
    this.#set(next);
    this.#ring();
  }
}
