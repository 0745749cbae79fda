import type { Cancel, Clock } from '@semo-office/core';

interface Timer {
  readonly at: number;
  readonly run: () => void;
  readonly handle: NodeJS.Timeout;
}

/** The machine's time, which a test can make leap ahead: what is due by then happens at once. For tests with real processes. */
export class LeapClock implements Clock {
  readonly #timers = new Set<Timer>();
  #leaptMs = 0;

  now(): number {
    return Date.now() + this.#leaptMs;
  }

  schedule(delayMs: number, run: () => void): Cancel {
    const timer: Timer = { at: this.now() + delayMs, run, handle: setTimeout(() => this.#fire(timer), delayMs) };
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  leap(ms: number): void {
    this.#leaptMs += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.now()).toSorted((one, other) => one.at - other.at);
    for (const timer of due) this.#fire(timer);
  }

  #fire(timer: Timer): void {
    clearTimeout(timer.handle);
    if (this.#timers.delete(timer)) timer.run();
  }
}
