import type { Clock } from '@semo-office/core';

/** What may be read at once, and how fast it comes back. Reading closely runs at about 25 MB/s, plain copying at 80. */
const BURST_BYTES = 1024 * 1024;
const BYTES_PER_MS = 2 * 1024;

/** How much output may be read closely, so that a flood is not held back by our reading. */
export class ReadingBudget {
  readonly #clock: Clock;
  #left = BURST_BYTES;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** Takes that many bytes from the budget, or none and says so. */
  take(bytes: number): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(BURST_BYTES, this.#left + (now - this.#at) * BYTES_PER_MS);
    this.#at = now;
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}
