import {
  systemClock,
  type Cancel,
  type Clock,
  type SessionInfo,
  type SessionManager,
  type SessionStatus,
} from 'semo-office';

/** A session in one of these has something to finish. */
const AT_WORK: readonly SessionStatus[] = ['creating', 'executing', 'waiting_input'];
/** Between the turns of a job there are moments in which nothing runs. */
const QUIET_MS = 2000;

/** What ended the wait: nothing was at work any more, time was over, or somebody was in a hurry. */
export type DrainEnd = 'idle' | 'late' | 'hurried';

/** The sessions that are at work. */
export function atWork(sessions: Pick<SessionManager, 'list'>): Promise<SessionInfo[]> {
  return sessions.list({ status: AT_WORK });
}

/** Those that have not ended. */
export async function alive(sessions: Pick<SessionManager, 'list'>): Promise<SessionInfo[]> {
  return (await sessions.list()).filter(({ status }) => status !== 'terminated');
}

/** Waits until no session has had anything to do for a moment; at once where there is no session. */
export async function untilIdle(
  sessions: Pick<SessionManager, 'list' | 'on'>,
  { withinMs, hurry, clock = systemClock }: { withinMs: number; hurry: AbortSignal; clock?: Clock },
): Promise<DrainEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<DrainEnd>();
  let cancelQuiet: Cancel = () => {};
  let looks = 0;
  const look = async (): Promise<void> => {
    cancelQuiet();
    const mine = ++looks;
    const living = await alive(sessions);
    // Something has changed meanwhile, and there was a look after that.
    if (mine !== looks || living.some(({ status }) => AT_WORK.includes(status))) return;
    if (living.length === 0) resolve('idle');
    else cancelQuiet = clock.schedule(QUIET_MS, () => resolve('idle'));
  };
  const lookAgain = (): void => void look().catch(reject);
  const hurried = (): void => resolve('hurried');
  if (hurry.aborted) hurried();
  hurry.addEventListener('abort', hurried, { once: true });
  const cancelLimit = clock.schedule(withinMs, () => resolve('late'));
  const stop = sessions.on('status', lookAgain);
  lookAgain();
  try {
    return await promise;
  } finally {
    stop();
    cancelLimit();
    cancelQuiet();
    hurry.removeEventListener('abort', hurried);
  }
}
