import type { Clock } from '@semo-office/core';

/** For how long something is waited for. */
export interface Patience {
  readonly clock: Clock;
  readonly ms: number;
  /** Gives up sooner. Default: nothing does. */
  readonly signal?: AbortSignal | undefined;
  /** What it fails with that was not there in time. */
  readonly orElse: () => Error;
}

/** What `work` gives, if it does in time. What comes of it later is let go, and no timer is left. */
export function settledWithin<Value>(work: Promise<Value>, { clock, ms, signal, orElse }: Patience): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      done();
      reject(orElse());
    };
    const cancel = clock.schedule(ms, giveUp);
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    };
    work.finally(done).then(resolve, reject);
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
  });
}
