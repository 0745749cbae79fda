import type { Cancel, Clock } from '@semo-office/core';

/** The time that closing may take, for all there is to be done one after the other. */
export class ClosingTime {
  readonly #clock: Clock;
  readonly #withinMs: number;
  readonly #cancels: Cancel[] = [];

  constructor(clock: Clock, withinMs: number) {
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  /** Aborts when so much of it has passed, from 0 to 1. */
  after(share: number): AbortSignal {
    const passed = new AbortController();
    this.#cancels.push(this.#clock.schedule(share * this.#withinMs, () => passed.abort()));
    return passed.signal;
  }

  /** All is done. */
  end(): void {
    for (const cancel of this.#cancels) cancel();
  }
}
