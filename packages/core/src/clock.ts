/** Takes a scheduled call back; doing so twice, or after the call, is harmless. */
export type Cancel = () => void;

/** Time, injected: whatever decides by time asks one of these, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once, `delayMs` from now. Never keeps the process alive by itself. */
  schedule(delayMs: number, run: () => void): Cancel;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
