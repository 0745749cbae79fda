import type { Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';

/** Options of {@link withinTime}. */
export interface TimeLimit {
  readonly clock: Clock;
  readonly ms: number;
  /** What takes so long, for the message. */
  readonly what: string;
  /** Gives up at once when it is aborted. Default: nothing does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What `work` gives, if it comes in time. What comes later is let go, and no timer is left.
 *
 * @throws SemoError `wait_timed_out`, `aborted`, or what `work` throws.
 */
export function withinTime<Value>(work: Promise<Value>, { clock, ms, what, signal }: TimeLimit): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(new SemoError('aborted', `${what} was given up.`));
    };
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      reject(new SemoError('wait_timed_out', `${what} took longer than ${ms} ms.`));
    });
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    work.then(resolve, reject).finally(done);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
