import { SemoError } from '../errors.ts';
import { poolKey } from '../pool/pool-key.ts';
import type { SessionInfo } from '../session/session.ts';
import { followAttempt, verdictOf, type AttemptCall, type AttemptEnd } from './attempt.ts';
import type { JobParts } from './job-parts.ts';
import type { JobPlan } from './job-plan.ts';
import type { AttemptRecord, JobRecord } from './job-record.ts';

/**
 * Takes up the attempt that another office process was at when it was lost: its session goes on here, and whatever became
 * of its turn is found out from the host. `null`: there was none.
 */
export async function adoptAttempt(
  parts: JobParts,
  { record, plan }: { readonly record: JobRecord; readonly plan: JobPlan },
  call: AttemptCall,
): Promise<AttemptEnd | null> {
  const attempt = record.attempts.at(-1);
  if (attempt === undefined || attempt.endedAt !== null) return null;
  const session = await parts.sessions.get(attempt.sessionId);
  if (session === null) return lostAttempt(parts, attempt, null);
  call.onSession(session.sessionId);
  const { role, template } = plan;
  if (session.status !== 'terminated') parts.pool.adopt({ session, role, template, key: poolKey(template) });
  const turn = await parts.sessions.getTurn(attempt.sessionId, attempt.turnId);
  if (turn === null) return lostAttempt(parts, attempt, session);
  return followAttempt(parts, { attempt, session }, call);
}

/**
 * The host knows nothing of the turn. It writes down every prompt before it sends it: so one that it does not know and that
 * nobody saw accepted was never sent. One that was accepted on a host that remembers nothing could have come to anything.
 */
function lostAttempt({ clock }: JobParts, attempt: AttemptRecord, session: SessionInfo | null): AttemptEnd {
  const error =
    attempt.delivery === 'intent'
      ? new SemoError('prompt_not_accepted', 'The office was restarted before the prompt was sent.')
      : new SemoError('delivery_unknown', 'The host remembers nothing of the turn: nobody knows what became of it.');
  const { outcome, confidence, error: known } = verdictOf(error);
  const ended: AttemptRecord = { ...attempt, delivery: 'ended', endedAt: clock.now(), outcome, error: known };
  return { attempt: ended, turn: null, session, outcome, confidence, error: known };
}
