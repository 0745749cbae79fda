import type { Clock } from '@semo-office/core';

import type { Credential, TokenProvider } from './credential.ts';

/** A token is replaced in a running session when it has less than this left. */
const RENEW_AHEAD_MS = 300_000;

/** What a session is signed in with, while it lives. */
export class SessionCredential {
  readonly #provider: TokenProvider | null;
  #current: Credential;
  readonly #used: string[];

  /** @param provider - Who gave it; `null` when it was part of an environment. */
  constructor(credential: Credential, provider: TokenProvider | null) {
    this.#current = credential;
    this.#provider = provider;
    this.#used = [credential.value];
  }

  /** Epoch milliseconds; `undefined` for one that is good for ever, or not known. */
  get expiresAt(): number | undefined {
    return this.#current.expiresAt;
  }

  /** All that it has been so far: none of it may be shown. */
  get secrets(): readonly string[] {
    return this.#used;
  }

  /**
   * Another credential in place of one that is about to expire, or `null` while the present one will do.
   *
   * @throws SemoError as the provider does, once the present one has expired.
   */
  async renewed(clock: Pick<Clock, 'now'>): Promise<Credential | null> {
    const { expiresAt } = this.#current;
    if (this.#provider === null || expiresAt === undefined || expiresAt - clock.now() > RENEW_AHEAD_MS) return null;
    try {
      const fresh = await this.#provider();
      if (fresh.value === this.#current.value || fresh.variable !== this.#current.variable) return null;
      this.#current = fresh;
      this.#used.push(fresh.value);
      return fresh;
    } catch (thrown) {
      if (clock.now() < expiresAt) return null;
      throw thrown;
    }
  }
}
