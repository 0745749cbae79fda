import type { Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';

/**
 * What `work` gives, if it comes in time. What comes later is let go.
 *
 * @throws SemoError `wait_timed_out`, or what `work` throws.
 */
export function withinTime<Value>(
  work: Promise<Value>,
  { clock, ms, what }: { readonly clock: Clock; readonly ms: number; readonly what: string },
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => {
      reject(new SemoError('wait_timed_out', `${what} took longer than ${ms} ms.`));
    });
    work.then(resolve, reject).finally(cancel);
  });
}
