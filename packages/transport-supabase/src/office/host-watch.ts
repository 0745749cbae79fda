import { SemoError, type Cancel, type Clock } from '@semo-office/core';

import type { HostRepository } from '../host/host-repository.ts';
import type { Forgetting } from './forgetting.ts';

/** What {@link HostWatch} needs. */
export interface WatchParts {
  readonly clock: Clock;
  readonly hosts: Pick<HostRepository, 'sweep'>;
  /** How often hosts are looked after, by whichever process comes first; in milliseconds. */
  readonly everyMs: number;
  /** For how long a lost host may come back to its sessions. */
  readonly graceMs: number;
  /** What was over long ago is forgotten on the way; `null`: it is kept. */
  readonly forgetting: Pick<Forgetting, 'look' | 'stop'> | null;
  /** Told after each look. */
  readonly onSwept: () => void;
  readonly onProblem: (problem: SemoError) => void;
}

/** Each process comes at a time of its own, sooner or later by up to so much. */
const JITTER = 0.25;

/** Notices what time has done to hosts. Of several processes of an office each comes from time to time, and one does it. */
export class HostWatch {
  readonly #parts: WatchParts;
  #cancel: Cancel = () => {};
  #sweeping: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#later();
  }

  /** Looks no more; resolves when a look that is under way is over. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#cancel();
    await Promise.all([this.#sweeping, this.#parts.forgetting?.stop()]);
  }

  #later(): void {
    if (this.#isOver) return;
    const { clock, everyMs } = this.#parts;
    const ms = everyMs * (1 - JITTER + 2 * JITTER * Math.random());
    this.#cancel = clock.schedule(ms, () => {
      this.#sweeping = this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    const { hosts, everyMs, graceMs, forgetting, onSwept, onProblem } = this.#parts;
    try {
      // Who comes a little sooner than it was to be is not sent away for it.
      await hosts.sweep({ graceMs, pauseMs: everyMs * (1 - 2 * JITTER) });
      onSwept();
      forgetting?.look();
    } catch (thrown) {
      onProblem(SemoError.from(thrown));
    }
    this.#later();
  }
}
