import type { Cancel } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import type { SessionManager } from '../session/session-manager.ts';
import { whenHostAnswers } from './host-waiting.ts';
import type { JobParts } from './job-parts.ts';
import type { JobStore } from './job-store.ts';

/** What was still being opened when its office was killed is open by then, or never will be. */
const LOOK_AGAIN_MS = 120_000;

/** Options of {@link clearLeftSessions}. */
export interface LeftSessionsOptions extends Pick<JobParts, 'sessions' | 'jobs' | 'clock' | 'hostPatienceMs'> {
  /** What offices of this name mark their sessions with; without one nobody finds them. */
  readonly officeId: string | undefined;
  /** The mark of this very process. */
  readonly owner: string;
  readonly onFault: (error: SemoError) => void;
}

/** The mark of one process of an office. */
export function ownerMark(officeId: string | undefined, processId: string): string {
  return officeId === undefined ? processId : `${officeId}/${processId}`;
}

/**
 * Ends the sessions that earlier processes of this office have left on a living host: those kept ready, and those whose job
 * is over. Sessions of jobs that have not ended stay: whoever goes on with the job takes them in.
 */
export function clearLeftSessions(options: LeftSessionsOptions): { close(): Promise<void> } {
  const { clock, onFault } = options;
  const closing = new AbortController();
  const look = async (): Promise<void> =>
    endLeftSessions(options, closing.signal).catch((thrown: unknown) => {
      if (!closing.signal.aborted) onFault(SemoError.from(thrown));
    });
  let cancel: Cancel = () => undefined;
  const lookTwice = async (): Promise<void> => {
    if (options.officeId === undefined) return;
    await look();
    if (closing.signal.aborted) return;
    cancel = clock.schedule(LOOK_AGAIN_MS, () => {
      looking = look();
    });
  };
  let looking = lookTwice();
  return {
    async close() {
      cancel();
      closing.abort(new SemoError('closed', 'The office is closed.'));
      await looking;
    },
  };
}

async function endLeftSessions(options: LeftSessionsOptions, signal: AbortSignal): Promise<void> {
  const { sessions, jobs } = options;
  const left = await whenHostAnswers(options, () => leftSessions(options), { signal, onWait: () => undefined });
  if (left.length === 0) return;
  const needed = await sessionsOfJobs(jobs);
  const surplus = left.filter((sessionId) => !needed.has(sessionId));
  await Promise.all(surplus.map((sessionId) => endOne(sessions, sessionId)));
}

async function leftSessions({ sessions, officeId, owner }: LeftSessionsOptions): Promise<string[]> {
  return (await sessions.list()).flatMap((info) => {
    const isOurs = info.owner?.startsWith(`${officeId}/`) === true && info.owner !== owner;
    return isOurs && info.status !== 'terminated' ? [info.sessionId] : [];
  });
}

async function sessionsOfJobs(jobs: JobStore): Promise<Set<string>> {
  const running = await jobs.list({ state: ['running'], limit: Number.MAX_SAFE_INTEGER });
  return new Set(running.flatMap(({ attempts }) => attempts.at(-1)?.sessionId ?? []));
}

async function endOne(sessions: SessionManager, sessionId: string): Promise<void> {
  try {
    await sessions.terminate(sessionId);
  } catch (thrown) {
    if (!isSemoError(thrown, 'session_unknown')) throw thrown;
  }
}
