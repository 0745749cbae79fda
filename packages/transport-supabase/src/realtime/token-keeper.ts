import { SemoError, isSemoError, type Cancel, type Clock } from '@semo-office/core';

import { backoffMs } from '../waking/poll-pace.ts';
import { settledWithin } from '../waking/settled-within.ts';
import { tokenLife, type TokenLife } from './token-life.ts';

/** What {@link TokenKeeper} needs. */
export interface TokenParts {
  readonly clock: Clock;
  /** Gives a new token: a JWT. */
  readonly fetchToken: () => Promise<string>;
  /** There is a new token. */
  readonly onFresh: () => void;
  readonly onProblem: (problem: SemoError) => void;
}

interface HeldToken extends TokenLife {
  readonly value: string;
  /** Whether the project has refused it, the last time it was asked anything by it. */
  isRefused: boolean;
}

/** How long `accessToken()` may take. */
const FETCH_WITHIN_MS = 10_000;
/** Never sooner after one fetch than this; and later and later while what comes is no better. */
const PACE = { firstMs: 1000, longestMs: 15_000 } as const;

/**
 * Keeps a token that is never over: gets the next one in time, and once for all who ask at the same time. The server closes
 * channels whose token is over, for good. Clocks may differ, so what looks over is given up only when the project refuses it.
 */
export class TokenKeeper {
  readonly #parts: TokenParts;
  #held: HeldToken | null = null;
  #fetching: Promise<string> | null = null;
  /** Why there is no better token than the one that is held, if any. */
  #failure: SemoError | null = null;
  #lastFetchAt = Number.NEGATIVE_INFINITY;
  #nextFetchAt = Number.NEGATIVE_INFINITY;
  #cancel: Cancel = () => {};
  /** So many fetches in a row have brought nothing that is good for a while. */
  #vain = 0;
  /** So many tokens in a row were refused. */
  #refusals = 0;
  #isClosed = false;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** The token as it is; `null`: there has been none. */
  get held(): string | null {
    return this.#held?.value ?? null;
  }

  /** A token that is good, as far as is known. @throws SemoError `sign_in_refused`: there is none to be had. */
  async current(): Promise<string> {
    const held = this.#held;
    const now = this.#parts.clock.now();
    const mayFetch = this.#fetching !== null || now >= this.#nextFetchAt;
    if (held !== null && now < held.endsAt && !this.#isSpent(held)) {
      if (mayFetch && now >= held.refreshAt) this.#fetch().catch(() => {});
      return held.value;
    }
    if (!mayFetch) {
      if (held !== null && !this.#isSpent(held)) return held.value;
      throw this.#failure ?? (held === null ? noToken() : overdue(held));
    }
    try {
      return await this.#fetch();
    } catch (thrown) {
      // It only looks over, and nobody has refused it.
      if (held !== null && !this.#isSpent(held)) return held.value;
      throw thrown;
    }
  }

  /** The project has taken it. */
  accepted(token: string): void {
    if (this.#held?.value !== token) return;
    this.#held.isRefused = false;
    this.#refusals = 0;
  }

  /** The project has not taken it: another one is fetched, though never one upon the other. */
  refused(token: string): void {
    const held = this.#held;
    if (held?.value !== token || held.isRefused) return;
    held.isRefused = true;
    this.#refusals += 1;
    this.#nextFetchAt = this.#lastFetchAt + this.#paceMs(this.#refusals - 1);
    if (this.#fetching === null) this.#fetchNotBefore(this.#nextFetchAt);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  /** The project has refused it, and by one clock or the other it is over. */
  #isSpent({ isRefused, endsAt, expiresAt }: HeldToken): boolean {
    return isRefused && this.#parts.clock.now() >= Math.min(endsAt, expiresAt);
  }

  #fetch(): Promise<string> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<string> {
    const { clock, fetchToken, onProblem } = this.#parts;
    this.#cancel();
    try {
      const fetching = Promise.resolve(fetchToken());
      const value: unknown = await settledWithin(fetching, { clock, ms: FETCH_WITHIN_MS, orElse: tooSlow });
      if (typeof value !== 'string' || value === '') throw noToken();
      const { refreshAt } = this.#take(value);
      this.#failure = null;
      this.#fetchNotBefore(Math.max(refreshAt, this.#nextFetchAt));
      return value;
    } catch (thrown) {
      this.#failure = refusalOf(thrown);
      this.#pace({ isGood: false });
      onProblem(this.#failure);
      this.#fetchNotBefore(this.#nextFetchAt);
      throw this.#failure;
    }
  }

  /** Notices what has come, which may be no other than before. @throws SemoError `sign_in_refused`: it is of no use. */
  #take(value: string): HeldToken {
    const { clock, onFresh, onProblem } = this.#parts;
    const now = clock.now();
    const before = this.#held;
    const held = before?.value === value ? before : { ...tokenLife(value, now), value, isRefused: false };
    if (this.#isSpent(held)) throw overdue(held);
    this.#held = held;
    this.#pace({ isGood: held !== before && held.refreshAt - now >= PACE.firstMs });
    if (held !== before && before !== null) onFresh();
    // It is used all the same: whether it is over is for the project to say.
    if (now >= held.endsAt) onProblem(overdue(held));
    return held;
  }

  #pace({ isGood }: { readonly isGood: boolean }): void {
    this.#vain = isGood ? 0 : this.#vain + 1;
    this.#lastFetchAt = this.#parts.clock.now();
    this.#nextFetchAt = this.#lastFetchAt + this.#paceMs(this.#vain);
  }

  #paceMs(failures: number): number {
    return failures === 0 ? PACE.firstMs : backoffMs(PACE, { failures: failures - 1, chance: Math.random() });
  }

  #fetchNotBefore(at: number): void {
    this.#cancel();
    if (this.#isClosed || !Number.isFinite(at)) return;
    const delayMs = Math.max(at - this.#parts.clock.now(), 0);
    this.#cancel = this.#parts.clock.schedule(delayMs, () => {
      this.#fetch().catch(() => {});
    });
  }
}

function noToken(): SemoError {
  return new SemoError('sign_in_refused', 'No token was to be had from accessToken().', { retryable: true });
}

function tooSlow(): SemoError {
  return new SemoError(
    'sign_in_refused',
    `accessToken() gave no token within ${FETCH_WITHIN_MS / 1000} s. It is asked again.`,
    { retryable: true },
  );
}

function overdue({ expiresAt }: HeldToken): SemoError {
  const when = new Date(expiresAt).toISOString();
  return new SemoError(
    'sign_in_refused',
    `The token was over at ${when}, by its own word and this machine's clock. Give a new one, or set the clock.`,
  );
}

/** Ours as they are; of others never their own words: these might hold a token. */
function refusalOf(thrown: unknown): SemoError {
  if (!isSemoError(thrown)) return noToken();
  if (thrown.code === 'sign_in_refused') return thrown;
  // Whoever asks by a token has not to do with how it is made.
  return new SemoError('sign_in_refused', thrown.message, { retryable: true, cause: thrown });
}
