import type { Clock } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { JobWait } from './attempt-gate.ts';
import type { JobParts } from './job-parts.ts';

/** How often it is asked. */
const ASK_EVERY_MS = 500;

/** Who waits for a host. */
export interface HostWait {
  /** Aborted, the question that is being asked is the last. */
  readonly signal: AbortSignal;
  readonly onWait: (wait: JobWait) => void;
}

/**
 * Asks until the host answers: it may be started later than the office, or have to be started again.
 * @throws SemoError `host_lost`: it has not answered for longer than the office waits; why the signal was aborted; what it answers with.
 */
export async function whenHostAnswers<Answer>(
  { clock, hostPatienceMs }: Pick<JobParts, 'clock' | 'hostPatienceMs'>,
  ask: () => Promise<Answer>,
  { signal, onWait }: HostWait,
): Promise<Answer> {
  const until = clock.now() + hostPatienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      if (!isSemoError(thrown, 'host_lost')) throw thrown;
      if (signal.aborted) throw SemoError.from(signal.reason);
      if (clock.now() >= until) throw thrown;
      onWait({ for: 'host', untilAt: null });
      await pause(clock, signal);
    }
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(ASK_EVERY_MS, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
