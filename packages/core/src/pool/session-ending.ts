import type { Clock } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { SessionManager } from '../session/session-manager.ts';
import { backoffMs } from './pool-pace.ts';
import { withinTime } from './within-time.ts';

/** Its job is over: what does not leave when asked has nothing left to finish. */
const GRACE_MS = 2000;
/** Ending takes the grace and the clearing up; beyond this the host is asked again. */
const END_TIMEOUT_MS = 30_000;
/** A pool that is being closed does not wait for ever for a host that is lost. */
const TRIES_WHEN_CLOSING = 3;

/** What {@link endSession} works with. */
export interface Ending {
  readonly sessions: SessionManager;
  readonly clock: Clock;
  readonly sessionId: string;
  /** Settles when the call that created it has, whatever came of it; `null` when there was none. */
  readonly created: Promise<void> | null;
  /** Aborted when the pool is being closed: then it is given up at some time. */
  readonly closing: AbortSignal;
  /** Told of each try that failed. */
  readonly onFault: (error: SemoError, retryInMs: number | null) => void;
}

/**
 * Ends a session for certain: resolves when nothing of it is left. A host that does not answer is asked again, later and
 * later, since what is not known to be gone still takes its room.
 */
export async function endSession(ending: Ending): Promise<void> {
  const { clock, created, closing, onFault } = ending;
  if (created !== null) await untilCreated(ending, created);
  for (let tries = 1; ; tries += 1) {
    const error = await tryToEnd(ending);
    if (error === null) return;
    const isLast = closing.aborted && tries >= TRIES_WHEN_CLOSING;
    const retryInMs = isLast ? null : backoffMs(tries);
    onFault(error, retryInMs);
    if (retryInMs === null) return;
    await pause(clock, retryInMs, closing);
  }
}

/** Waits; shorter when the pool begins to be closed meanwhile. */
function pause(clock: Clock, ms: number, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      closing.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(ms, done);
    if (!closing.aborted) closing.addEventListener('abort', done);
  });
}

/** What is still being created could come to life after it was ended. */
async function untilCreated({ clock, sessions, sessionId }: Ending, created: Promise<void>): Promise<void> {
  try {
    await withinTime(created, { clock, ms: END_TIMEOUT_MS, what: 'Giving up a session that is being created' });
  } catch {
    void created.then(() => sessions.terminate(sessionId, { graceMs: GRACE_MS })).catch(() => undefined);
  }
}

/** `null` when it is gone. */
async function tryToEnd({ clock, sessions, sessionId }: Ending): Promise<SemoError | null> {
  try {
    const ended = sessions.terminate(sessionId, { graceMs: GRACE_MS });
    await withinTime(ended, { clock, ms: END_TIMEOUT_MS, what: `Ending session ${sessionId}` });
    return null;
  } catch (thrown) {
    // Never was, or nobody is left who could be asked.
    if (isSemoError(thrown, 'session_unknown') || isSemoError(thrown, 'closed')) return null;
    return SemoError.from(thrown);
  }
}
