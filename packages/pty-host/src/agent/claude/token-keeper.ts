import { SemoError, isSemoError, redactedText, systemClock, withoutSecrets, type Clock } from '@semo-office/core';
import pRetry, { AbortError } from 'p-retry';
import { z } from 'zod';

import { deadline } from '../../deadline.ts';
import type { Credential } from './credential.ts';

/** What a refresh gives. */
export interface FreshToken {
  readonly token: string;
  /** When it stops being good, epoch milliseconds. Default: never. */
  readonly expiresAt?: number | undefined;
}

/** Options of {@link createTokenKeeper}. */
export interface TokenKeeperOptions {
  /**
   * Gets a token. Called by one session's need for all of them, never twice at once. A `SemoError` of class `auth` is
   * final; anything else is tried again.
   */
  readonly refresh: (signal: AbortSignal) => Promise<FreshToken> | FreshToken;
  /** A name for the account, the same whatever its token is; see `credentialId`. Never a secret. */
  readonly name: string;
  /** The variable by which agents get it. Default `CLAUDE_CODE_OAUTH_TOKEN`. */
  readonly variable?: Credential['variable'] | undefined;
  /** How long before its end a token is replaced, in milliseconds, at most half its life. Default 300 000 (5 minutes). */
  readonly refreshAheadMs?: number | undefined;
  /** How long one attempt may take, in milliseconds. Default 30 000. */
  readonly attemptTimeoutMs?: number | undefined;
  /** How often a failed refresh is tried again, after 1, 2, 4 … seconds, 30 at most. Default 3. */
  readonly retries?: number | undefined;
  /** Told of every attempt that failed; its message holds no token. Default: nobody. */
  readonly onFault?: ((error: SemoError) => void) | undefined;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
}

/** Keeps one token fresh for all sessions. */
export interface TokenKeeper {
  /** For `claude.tokenProvider`. @throws SemoError `sign_in_refused`, `closed`. */
  readonly provider: () => Promise<Credential>;
  /** The token was refused before its time: the next that needs one gets another. */
  forget(): void;
  /** Gives up what is being refreshed. */
  close(): void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const freshTokenSchema = z.object({
  token: z.string().regex(/^[\x21-\x7e]{1,16384}$/),
  expiresAt: z.number().positive().optional(),
});

/**
 * One refresher for all sessions of a host: a token is asked for when a session needs it and the last one is not good for
 * long any more, once, however many need it. Should that fail, the last one is given as long as it is good. Tokens are held in
 * memory alone.
 *
 * @example
 * ```ts
 * const keeper = createTokenKeeper({ name: 'team-account', refresh: (signal) => fetchToken(signal) });
 * const sessions = createPtySessionManager({ claude: { tokenProvider: keeper.provider } });
 * ```
 */
export function createTokenKeeper(options: TokenKeeperOptions): TokenKeeper {
  const keeper = new Keeper(options);
  return {
    provider: () => keeper.credential(),
    forget: () => keeper.forget(),
    close: () => keeper.close(),
  };
}

interface KeptToken extends FreshToken {
  readonly refreshAt: number;
}

class Keeper {
  readonly #options: TokenKeeperOptions;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #kept: KeptToken | null = null;
  #refreshing: Promise<KeptToken> | null = null;

  constructor(options: TokenKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async credential(): Promise<Credential> {
    if (this.#closed.signal.aborted) throw closedError();
    const { variable = 'CLAUDE_CODE_OAUTH_TOKEN', name } = this.#options;
    const { token, expiresAt } = await this.#goodToken();
    return { variable, value: token, id: name, ...(expiresAt === undefined ? {} : { expiresAt }) };
  }

  forget(): void {
    this.#kept = null;
  }

  close(): void {
    this.#closed.abort();
    this.#kept = null;
  }

  async #goodToken(): Promise<KeptToken> {
    const kept = this.#kept;
    if (kept !== null && this.#clock.now() < kept.refreshAt) return kept;
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    try {
      return await this.#refreshing;
    } catch (thrown) {
      const isGood = kept !== null && kept === this.#kept && this.#clock.now() < (kept.expiresAt ?? Infinity);
      if (isGood) return kept;
      throw thrown;
    }
  }

  async #refresh(): Promise<KeptToken> {
    const { retries = 3 } = this.#options;
    const { signal } = this.#closed;
    try {
      // The pauses are ours, by the injected clock; its own would be by the machine's.
      this.#kept = await pRetry(() => this.#attempt(), {
        retries,
        minTimeout: 0,
        signal,
        onFailedAttempt: async ({ attemptNumber, retriesLeft }) => {
          if (retriesLeft > 0) await this.#pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attemptNumber - 1)));
        },
      });
      return this.#kept;
    } catch (thrown) {
      if (signal.aborted) throw closedError();
      throw thrown;
    }
  }

  async #attempt(): Promise<KeptToken> {
    const { refresh, attemptTimeoutMs = 30_000 } = this.#options;
    using limit = deadline(this.#clock, attemptTimeoutMs);
    const signal = AbortSignal.any([this.#closed.signal, limit.signal]);
    try {
      return this.#checked(await Promise.race([refresh(signal), aborted(signal, attemptTimeoutMs)]));
    } catch (thrown) {
      const error = this.#fault(thrown);
      this.#options.onFault?.(error);
      if (isSemoError(thrown) && thrown.class === 'auth') throw new AbortError(error);
      throw error;
    }
  }

  #checked(given: unknown): KeptToken {
    const parsed = freshTokenSchema.safeParse(given);
    // What was given is not shown: it may hold the token.
    if (!parsed.success) throw new Error('It gave no token: one is printable characters without spaces.');
    const { token, expiresAt } = parsed.data;
    const now = this.#clock.now();
    if (expiresAt === undefined) return { token, refreshAt: Infinity };
    if (expiresAt <= now) throw new Error('It gave a token that has expired.');
    const { refreshAheadMs = 300_000 } = this.#options;
    return { token, expiresAt, refreshAt: expiresAt - Math.min(refreshAheadMs, (expiresAt - now) / 2) };
  }

  /** Without what was thrown: its message or its fields may hold a token. */
  #fault(thrown: unknown): SemoError {
    const { name } = this.#options;
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    const clean = redactedText(withoutSecrets(said, this.#kept === null ? [] : [this.#kept.token]));
    const isFinal = isSemoError(thrown) && thrown.class === 'auth';
    const code = isFinal && thrown.code === 'not_signed_in' ? 'not_signed_in' : 'sign_in_refused';
    return new SemoError(code, `The token of ${name} could not be refreshed. ${clean}`, { retryable: !isFinal });
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#closed;
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(delayMs, resolve);
      const stop = () => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });
  }
}

/** A refresh need not look at its signal. */
function aborted(signal: AbortSignal, limitMs: number): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error(`It took longer than ${limitMs} ms.`));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

function closedError(): SemoError {
  return new SemoError('closed', 'The token keeper is closed. Create another.');
}
