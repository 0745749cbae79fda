import { SemoError, type Cancel, type Clock } from '@semo-office/core';
import { z } from 'zod';

import { backoffMs } from '../waking/poll-pace.ts';

/** What {@link TokenKeeper} needs. */
export interface TokenParts {
  readonly clock: Clock;
  /** Gives a new token: a JWT. */
  readonly fetchToken: () => Promise<string>;
  /** There is a new token. */
  readonly onFresh: () => void;
  readonly onProblem: (problem: SemoError) => void;
}

const claimsSchema = z.object({ exp: z.number().optional() });

/** A token is refreshed when less of its time is left than this, or a third of it if that is less. */
const SPARE_MS = 60_000;

/**
 * Keeps a token that is never over: gets the next one in time, and once for all who ask at the same time. The server closes
 * channels whose token is over, for good.
 */
export class TokenKeeper {
  readonly #parts: TokenParts;
  #token: { readonly value: string; readonly refreshAt: number } | null = null;
  #fetching: Promise<string> | null = null;
  #cancel: Cancel = () => {};
  #failures = 0;
  #isClosed = false;

  constructor(parts: TokenParts) {
    this.#parts = parts;
  }

  /** A token that is good for a while. @throws SemoError `sign_in_refused`: there is none to be had. */
  current(): Promise<string> {
    const token = this.#token;
    if (token !== null && this.#parts.clock.now() < token.refreshAt) return Promise.resolve(token.value);
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #fetch(): Promise<string> {
    const { clock, fetchToken, onFresh, onProblem } = this.#parts;
    try {
      const value = await fetchToken();
      const now = clock.now();
      const refreshAt = refreshTime(expiryOf(value), now);
      const isFirst = this.#token === null;
      this.#token = { value, refreshAt };
      this.#failures = 0;
      if (Number.isFinite(refreshAt)) this.#refreshIn(refreshAt - now);
      if (!isFirst) onFresh();
      return value;
    } catch (thrown) {
      // Never the cause's own words: they might hold a token.
      const error = new SemoError('sign_in_refused', 'No token was to be had from accessToken().', { retryable: true });
      onProblem(error);
      this.#refreshIn(
        backoffMs({ firstMs: 1000, longestMs: 30_000 }, { failures: this.#failures, chance: Math.random() }),
      );
      this.#failures += 1;
      throw thrown instanceof SemoError ? thrown : error;
    }
  }

  #refreshIn(delayMs: number): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = this.#parts.clock.schedule(Math.max(delayMs, 0), () => {
      this.current().catch(() => {});
    });
  }
}

/** When a token is over, in epoch milliseconds, as it says itself; infinite where it does not. Pure. */
export function expiryOf(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return (claimsSchema.parse(claims).exp ?? Number.POSITIVE_INFINITY) * 1000;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** From when on a token is replaced: well before it is over. Pure. */
export function refreshTime(expiresAt: number, now: number): number {
  return expiresAt - Math.min(SPARE_MS, (expiresAt - now) / 3);
}
