import { SemoError, isSemoError, type Clock, type OfficeLink } from '@semo-office/core';
import { connectToSocket } from '@semo-office/transport-local';

/** How often it is tried. */
const TRY_EVERY_MS = 100;

/** What {@link lineToHost} works with. */
export interface HostLineOptions {
  readonly path: string;
  /** How long a host that does not answer yet is waited for. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The line to the host that serves a socket, or is about to.
 * @throws SemoError `host_lost`: nobody has answered in time; `aborted`; else as `connectToSocket`.
 */
export async function lineToHost({ path, waitMs, clock, signal }: HostLineOptions): Promise<OfficeLink> {
  const until = clock.now() + waitMs;
  for (;;) {
    if (signal?.aborted === true) throw new SemoError('aborted', `Waiting for a host at ${path} was given up.`);
    try {
      return await connectToSocket({ path });
    } catch (thrown) {
      const leftMs = until - clock.now();
      if (!isSemoError(thrown, 'host_lost') || leftMs <= 0) throw thrown;
      await pause({ ms: Math.min(TRY_EVERY_MS, leftMs), clock, signal });
    }
  }
}

function pause({ ms, clock, signal }: Pick<HostLineOptions, 'clock' | 'signal'> & { readonly ms: number }) {
  return new Promise<void>((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
