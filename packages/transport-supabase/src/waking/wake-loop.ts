import { SemoError, type Cancel, type Clock } from '@semo-office/core';

import { RETRY_PACE, backoffMs } from './poll-pace.ts';

/** How a {@link WakeLoop} looks, and when. */
export interface WakeLoopParts {
  readonly clock: Clock;
  /** Looks once; resolves with whether something was there. */
  readonly look: () => Promise<boolean>;
  /** How long to wait after so many looks that found nothing. */
  readonly waitMs: (idleLooks: number) => number;
  /** Told of a look that failed, and how many have in a row. It goes on looking. */
  readonly onFailure: (error: SemoError, failures: number) => void;
  /** Told of the first look that succeeds after one that failed. */
  readonly onRecovery?: () => void;
}

/**
 * The waits before looking again where an announced thing was not there: PostgreSQL tells of a commit a moment before others see it.
 */
const ECHO_MS: readonly number[] = [20, 150];

type LoopState = 'idle' | 'looking' | 'woken' | 'stopped';

/** Looks when woken and from time to time; one look at a time. Being woken while looking means one more look. */
export class WakeLoop {
  readonly #parts: WakeLoopParts;
  #state: LoopState = 'idle';
  #idleLooks = 0;
  #failures = 0;
  /** The waits that are left since the last announcement. */
  #echoes: readonly number[] = [];
  #cancel: Cancel = () => {};
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: WakeLoopParts) {
    this.#parts = parts;
  }

  /** Looks now, or once more where a look is under way: what it wakes up to may have come too late for that. */
  wake(): void {
    if (this.#state === 'stopped') return;
    this.#idleLooks = 0;
    if (this.#state === 'idle') this.#begin();
    else this.#state = 'woken';
  }

  /** As `wake`, for something that is there by now or will be in a moment. */
  announced(): void {
    this.#echoes = ECHO_MS;
    this.wake();
  }

  /** Looks at its own pace from now on, as when how long to wait has changed. */
  repace(): void {
    if (this.#state !== 'idle') return;
    this.#cancel();
    this.#cancel = this.#parts.clock.schedule(this.#parts.waitMs(this.#idleLooks), () => this.#begin());
  }

  /** Looks no more; resolves when a look that is under way is over. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#cancel();
    await this.#looking;
  }

  #begin(): void {
    this.#cancel();
    this.#state = 'looking';
    this.#looking = this.#run();
  }

  async #run(): Promise<void> {
    let waitMs = 0;
    do {
      // Whoever wakes us up from now on wants another look.
      if (this.#isNow('woken')) this.#state = 'looking';
      waitMs = await this.#lookOnce();
    } while (this.#isNow('woken'));
    if (this.#isNow('stopped')) return;
    this.#state = 'idle';
    this.#cancel = this.#parts.clock.schedule(waitMs, () => this.#begin());
  }

  #nextMs(found: boolean, waitMs: number): number {
    const [echoMs, ...later] = found ? [] : this.#echoes;
    this.#echoes = later;
    return echoMs === undefined ? waitMs : Math.min(echoMs, waitMs);
  }

  /** Others change the state while we wait. */
  #isNow(state: LoopState): boolean {
    return this.#state === state;
  }

  async #lookOnce(): Promise<number> {
    const { look, waitMs, onFailure, onRecovery } = this.#parts;
    try {
      const found = await look();
      this.#idleLooks = found ? 0 : this.#idleLooks + 1;
      if (this.#failures > 0) onRecovery?.();
      this.#failures = 0;
      return this.#nextMs(found, waitMs(this.#idleLooks));
    } catch (thrown) {
      this.#failures += 1;
      onFailure(SemoError.from(thrown), this.#failures);
      // Being woken does not help against a database that is away.
      if (this.#state === 'woken') this.#state = 'looking';
      return backoffMs(RETRY_PACE, { failures: this.#failures - 1, chance: Math.random() });
    }
  }
}
