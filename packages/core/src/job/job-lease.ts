import type { Cancel } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { JobParts } from './job-parts.ts';
import type { LeaseRef } from './job-store.ts';

/** How a job is held on to. */
export interface LeaseHold {
  readonly leaseMs: number;
  /** Aborted where somebody else has the job (`lease_lost`), or wants it to end (`turn_cancelled`). */
  readonly abort: AbortController;
  /** Told where the store cannot be asked. It is asked again. */
  readonly onFault: (error: SemoError) => void;
}

/** Renews the lease of a job that is worked on, three times in its length; gives what ends that. */
export function holdLease(
  { jobs, clock }: Pick<JobParts, 'jobs' | 'clock'>,
  ref: LeaseRef,
  { leaseMs, abort, onFault }: LeaseHold,
): Cancel {
  let cancel: Cancel = () => undefined;
  let stopped = false;
  const renew = async (): Promise<void> => {
    try {
      const { cancelRequested } = await jobs.renew(ref, leaseMs);
      if (cancelRequested) abort.abort(new SemoError('turn_cancelled', 'The job was cancelled.'));
    } catch (thrown) {
      if (isSemoError(thrown, 'lease_lost')) return abort.abort(thrown);
      onFault(SemoError.from(thrown));
    }
    again();
  };
  const again = (): void => {
    // It may have been stopped while the store was being asked.
    if (!stopped && !abort.signal.aborted) cancel = clock.schedule(leaseMs / 3, () => void renew());
  };
  again();
  return () => {
    stopped = true;
    cancel();
  };
}
