/** Takes a scheduled call back; doing so twice, or after the call, is harmless. */
export type Cancel = () => void;

/** Time, injected: whatever decides by time asks one of these, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once, `delayMs` from now. What is scheduled keeps the process alive: cleaning up must not be cut short. */
  schedule(delayMs: number, run: () => void): Cancel;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
