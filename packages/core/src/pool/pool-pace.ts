import type { SemoError } from '../errors.ts';

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
const SLOW_MS = 300_000;
/** After so many failures in a row, or one that trying again cannot mend, a target is tried at the slow pace. */
const QUICK_FAILURES = 5;
/** One that lived this long had been opened well: its death is no failure to open. */
const PROVEN_MS = 60_000;

interface Pace {
  readonly failures: number;
  readonly retryAt: number;
  readonly error: SemoError | null;
}

/** How long to wait before the next of several tries, in milliseconds: one second, doubled each time, a minute at most. */
export function backoffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}

/** When each warm target may be tried again, so that one that keeps failing never becomes a hot loop. */
export class PoolPace {
  readonly #paces = new Map<string, Pace>();

  retryAt(key: string): number {
    return this.#paces.get(key)?.retryAt ?? 0;
  }

  /** What a target failed with last, since a session of it was last handed out. */
  lastError(key: string): SemoError | null {
    return this.#paces.get(key)?.error ?? null;
  }

  /** Notes a failure; gives how long to wait, in milliseconds. `livedMs`: how long the session had been in order. */
  failed(key: string, failure: { readonly error: SemoError; readonly now: number; readonly livedMs: number }): number {
    const { error, now, livedMs } = failure;
    const before = livedMs >= PROVEN_MS ? 0 : (this.#paces.get(key)?.failures ?? 0);
    const failures = before + 1;
    const waitMs = error.retryable && failures < QUICK_FAILURES ? backoffMs(failures) : SLOW_MS;
    this.#paces.set(key, { failures, retryAt: now + waitMs, error });
    return waitMs;
  }

  /** Nothing failed, but it is not to be tried before `retryAt`. */
  postpone(key: string, retryAt: number): void {
    const { failures, error } = this.#paces.get(key) ?? { failures: 0, error: null };
    this.#paces.set(key, { failures, error, retryAt });
  }

  succeeded(key: string): void {
    this.#paces.delete(key);
  }

  /** Forgets all keys but these. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#paces.keys()) if (!keys.has(key)) this.#paces.delete(key);
  }
}
