import type { AttemptEnd, AttemptOrder } from './attempt.ts';

/** What an attempt is told that has lost its host, or whose host was started again meanwhile. */
const OUT_OF_SIGHT: ReadonlySet<string> = new Set([
  'host_lost',
  'session_terminated',
  'session_unknown',
  'session_conflict',
  'turn_unknown',
]);

/** Whether only the host can tell what became of an attempt. */
export function isOutOfSight({ turn, error, attempt }: AttemptEnd, { plan }: AttemptOrder): boolean {
  if (turn !== null || error === null || attempt.sessionId === '') return false;
  // With an id of the caller's own it is somebody else's session.
  if (error.code === 'session_conflict' && attempt.sessionId === plan.sessionId) return false;
  return OUT_OF_SIGHT.has(error.code);
}
