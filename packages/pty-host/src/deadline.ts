import type { Clock } from '@semo-office/core';

/** A signal that aborts once, `afterMs` from now, by the injected clock. */
export function deadline(clock: Clock, afterMs: number): AbortSignal {
  const controller = new AbortController();
  clock.schedule(afterMs, () => {
    controller.abort();
  });
  return controller.signal;
}
