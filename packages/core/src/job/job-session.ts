import type { PoolManager, SessionUse } from '../pool/pool.ts';
import type { SessionInfo } from '../session/session.ts';
import type { WorkspaceInfo } from '../session/workspace.ts';
import type { JobParts } from './job-parts.ts';

/** Ending a session takes the grace and the clearing up. */
const LONGEST_ENDING_MS = 30_000;

/**
 * Gives a session back and waits until nothing of it is left, unless the pool keeps it. Resolves with its workspace as it is
 * then; `null`: nobody can tell.
 */
export async function giveBack(
  parts: Pick<JobParts, 'pool' | 'sessions' | 'clock'>,
  { sessionId }: SessionInfo,
  use: SessionUse,
): Promise<WorkspaceInfo | null> {
  await parts.pool.release(sessionId, use);
  await untilGone(parts, sessionId);
  return (await parts.sessions.get(sessionId).catch(() => null))?.workspace ?? null;
}

/**
 * Whether it is decided at the end of a session what becomes of its workspace, and it ends with its job. A folder of the
 * user's stays, and so does a slot whose session the next job gets.
 */
export function endsWorkspace(
  { reusesSessions }: Pick<JobParts, 'reusesSessions'>,
  { workspace }: SessionInfo,
  use: SessionUse,
): boolean {
  return workspace.kind === 'git' && !(reusesSessions && use.kind === 'reusable');
}

/** The next attempt needs the folder, and whoever waits for the job wants nothing of it left; but nobody waits for ever. */
function untilGone({ pool, clock }: { pool: PoolManager; clock: JobParts['clock'] }, sessionId: string): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.schedule(LONGEST_ENDING_MS, () => late.resolve());
  return Promise.race([pool.gone(sessionId), late.promise]).finally(cancel);
}
