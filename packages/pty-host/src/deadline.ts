import type { Clock } from '@semo-office/core';

/** A signal that aborts when time is up. Disposing it takes the time back; `using` does so at the end of the block. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A deadline `afterMs` from now, by the injected clock.
 *
 * @example
 * ```ts
 * using limit = deadline(clock, 5000);
 * await agent.interrupt(limit.signal);
 * ```
 */
export function deadline(clock: Clock, afterMs: number): Deadline {
  const controller = new AbortController();
  const cancel = clock.schedule(afterMs, () => {
    controller.abort();
  });
  return { signal: controller.signal, [Symbol.dispose]: cancel };
}
