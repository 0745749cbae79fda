/** Takes a scheduled call back; doing so twice, or after the call, is harmless. */
export type Cancel = () => void;

/** Time, injected: whatever decides by time asks one of these, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once, `delayMs` from now. What is scheduled keeps the process alive: cleaning up must not be cut short. */
  schedule(delayMs: number, run: () => void): Cancel;
}

/** Almost 25 days: a timer that is to run for longer would go off at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, run) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (leftMs: number): void => {
      const stretchMs = Math.min(leftMs, LONGEST_TIMEOUT_MS);
      timer = setTimeout(() => (leftMs > stretchMs ? wait(leftMs - stretchMs) : run()), stretchMs);
    };
    wait(delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
