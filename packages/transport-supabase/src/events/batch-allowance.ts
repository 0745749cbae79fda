import type { Clock } from '@semo-office/core';

/** How many batches a host may send. */
export interface BatchRate {
  readonly perSecond: number;
  /** So many go out one right after the other, when there were none for a while. */
  readonly burst: number;
}

/**
 * Spaces batches out: Realtime counts messages by the second for a whole project, and drops what is beyond. What waits
 * meanwhile goes into one batch, so a busy host is told of a little later, and not in more messages.
 */
export class BatchAllowance {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #burst: number;
  /** When all that has been sent would have been sent at an even pace. */
  #evenAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, { perSecond, burst }: BatchRate) {
    this.#clock = clock;
    this.#stepMs = 1000 / perSecond;
    this.#burst = burst;
  }

  /** Takes one; gives how long it has to wait, in milliseconds. */
  take(): number {
    const now = this.#clock.now();
    const waitMs = Math.max(this.#evenAt - (this.#burst - 1) * this.#stepMs - now, 0);
    this.#evenAt = Math.max(this.#evenAt, now) + this.#stepMs;
    return waitMs;
  }
}
