import { SemoError, type Cancel, type Clock, type SessionLimit, type SessionLimits } from '@semo-office/core';

/** Longer timers fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Watches how much of its limits a session has used up. */
export class LimitWatch {
  readonly #limits: SessionLimits;
  readonly #clock: Clock;
  readonly #onReached: (limit: SessionLimit) => void;
  readonly #ended = Promise.withResolvers<SessionLimit>();
  #reached: SessionLimit | null = null;
  #turns = 0;
  #cancel: Cancel = () => undefined;

  /** @param onReached - Told once, at once, of the first limit that ends the session. */
  constructor(options: {
    readonly limits: SessionLimits | undefined;
    readonly clock: Clock;
    readonly onReached: (limit: SessionLimit) => void;
  }) {
    this.#limits = options.limits ?? {};
    this.#clock = options.clock;
    this.#onReached = options.onReached;
  }

  /** The limit that ended the session; `null` while none has. */
  get reached(): SessionLimit | null {
    return this.#reached;
  }

  /** Resolves with the limit that ends the session, when it is reached. */
  get ended(): Promise<SessionLimit> {
    return this.#ended.promise;
  }

  /** The session is ready: its time runs, or has run since then. @param turns - Prompts counted before. Default 0. */
  begin({ since = this.#clock.now(), turns = 0 }: { readonly since?: number; readonly turns?: number } = {}): void {
    const { maxWallMs } = this.#limits;
    this.#turns += turns;
    if (maxWallMs !== undefined) this.#waitUntil(since + maxWallMs);
  }

  /** The agent has printed so much in all. */
  printed(totalBytes: number): void {
    const { maxOutputTotalBytes } = this.#limits;
    if (maxOutputTotalBytes !== undefined && totalBytes > maxOutputTotalBytes) this.#reach('max_output');
  }

  /** Counts a prompt in; the call it gives counts it out again, for one that was not taken. @throws SemoError `session_exhausted`. */
  countTurn(): () => void {
    const { maxTurns } = this.#limits;
    if (maxTurns !== undefined && this.#turns >= maxTurns) {
      throw new SemoError(
        'session_exhausted',
        `The session has taken as many prompts as it may (limits.maxTurns, ${maxTurns}). Create another one.`,
      );
    }
    this.#turns += 1;
    return () => {
      this.#turns -= 1;
    };
  }

  /** The session has ended: time means nothing to it any more. */
  close(): void {
    this.#cancel();
  }

  #waitUntil(due: number): void {
    const left = due - this.#clock.now();
    if (left <= 0) return this.#reach('max_wall');
    this.#cancel = this.#clock.schedule(Math.min(left, LONGEST_TIMER_MS), () => this.#waitUntil(due));
  }

  #reach(limit: SessionLimit): void {
    if (this.#reached !== null) return;
    this.#reached = limit;
    this.#onReached(limit);
    this.#ended.resolve(limit);
  }
}
