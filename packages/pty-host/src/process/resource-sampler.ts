import type { Cancel, Clock, SessionEvents } from '@semo-office/core';

import { sessionResources } from './resources.ts';

/** A session whose processes are known. */
export interface SampledSession {
  readonly sessionId: string;
  /** Of its processes, as far as they are known just now. */
  readonly pids: readonly number[];
}

/** Options of {@link ResourceSampler}. */
export interface ResourceSamplerOptions {
  readonly clock: Clock;
  /** Time between two looks, in milliseconds; 0: never. */
  readonly everyMs: number;
  /** The sessions that live now. */
  readonly sessions: () => readonly SampledSession[];
  /** Whether anybody wants to know. */
  readonly isHeard: () => boolean;
  readonly tell: (event: SessionEvents['resources']) => void;
}

/**
 * Tells at intervals what each session uses. While nobody listens nothing is looked at, and without a living session there
 * is not even a timer.
 */
export class ResourceSampler {
  readonly #options: ResourceSamplerOptions;
  #cancel: Cancel | null = null;
  #isClosed = false;

  constructor(options: ResourceSamplerOptions) {
    this.#options = options;
  }

  /** There is a session now. */
  wake(): void {
    const { clock, everyMs } = this.#options;
    if (everyMs === 0 || this.#isClosed || this.#cancel !== null) return;
    this.#cancel = clock.schedule(everyMs, () => void this.#look());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    const { sessions, isHeard, clock, tell } = this.#options;
    const living = sessions();
    if (isHeard())
      for (const { sessionId, pids } of living) {
        const { pssBytes, cpuMs, processes } = await sessionResources(pids);
        if (this.#isClosed) return;
        // Gone in the meantime.
        if (processes > 0) tell({ sessionId, pssBytes, cpuMs, processes, at: clock.now() });
      }
    this.#cancel = null;
    if (living.length > 0) this.wake();
  }
}
