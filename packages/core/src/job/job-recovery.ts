import { SemoError, isSemoError } from '../errors.ts';
import { poolKey } from '../pool/pool-key.ts';
import { turnError } from '../monitor/verdict.ts';
import type { SessionInfo } from '../session/session.ts';
import type { TurnInfo } from '../session/turn.ts';
import type { JobWait } from './attempt-gate.ts';
import { sameOrder } from './attempt-order.ts';
import { verdictOf } from './attempt-verdict.ts';
import { followAttempt, type AttemptCall, type AttemptEnd, type AttemptOrder } from './attempt.ts';
import { whenHostAnswers } from './host-waiting.ts';
import type { JobParts } from './job-parts.ts';
import type { JobPlan } from './job-plan.ts';
import type { AttemptRecord, JobRecord } from './job-record.ts';

/** What is left to do for an attempt that was lost from sight: nothing, since its end is known, or to make it after all. */
export type TakenUp =
  | { readonly kind: 'ended'; readonly end: AttemptEnd }
  | { readonly kind: 'unsent'; readonly order: AttemptOrder };

/** What {@link takeUpAttempt} needs of its job. */
export interface RecoveryCall extends AttemptCall {
  readonly onWait: (wait: JobWait) => void;
}

interface Lost {
  readonly record: JobRecord;
  readonly plan: JobPlan;
}

/**
 * Takes up the last attempt of a job, which was lost from sight: its office process was killed, or its host did not answer.
 * What became of it is found out from the host, which is waited for. `null`: there is none that still counts.
 */
export async function takeUpAttempt(parts: JobParts, lost: Lost, call: RecoveryCall): Promise<TakenUp | null> {
  const { record } = lost;
  const attempt = record.attempts.at(-1);
  if (attempt === undefined || record.reopened !== null) return null;
  try {
    const found = await whenHostAnswers(parts, () => lookUp(parts, attempt), call);
    if (attempt.endedAt !== null) return { kind: 'ended', end: knownEnd(attempt, takeIn(parts, lost, found)) };
    return await takeUpOpen(parts, { ...lost, attempt, found }, call);
  } catch (thrown) {
    if (!isSemoError(thrown, 'host_lost')) throw thrown;
    if (attempt.endedAt !== null) return { kind: 'ended', end: knownEnd(attempt, NOTHING) };
    return { kind: 'ended', end: unknownEnd(parts, { attempt, session: null, why: thrown.message }) };
  }
}

/** What the host knows. */
interface Found {
  readonly session: SessionInfo | null;
  readonly turn: TurnInfo | null;
}

const NOTHING: Found = { session: null, turn: null };

async function lookUp({ sessions }: JobParts, { sessionId, turnId }: AttemptRecord): Promise<Found> {
  if (sessionId === '') return NOTHING;
  const session = await sessions.get(sessionId);
  if (session === null) return NOTHING;
  const turn = await sessions.getTurn(sessionId, turnId).catch((thrown: unknown) => {
    if (isSemoError(thrown, 'session_unknown')) return null;
    throw thrown;
  });
  return { session, turn };
}

async function takeUpOpen(
  parts: JobParts,
  lost: Lost & { readonly attempt: AttemptRecord; readonly found: Found },
  call: RecoveryCall,
): Promise<TakenUp> {
  const { record, plan, attempt, found } = lost;
  const { session, turn } = found;
  if (session !== null && turn !== null) {
    call.onSession(session.sessionId);
    takeIn(parts, lost, found);
    const end = await followAttempt(parts, { attempt, session }, call);
    const isOurs = record.cancelRequested || call.signal.aborted || isAlive(session);
    return { kind: 'ended', end: isOurs ? end : notCancelled(end) };
  }
  // The host writes down every prompt before it sends it: one that it does not know and nobody saw accepted was never sent.
  if (attempt.delivery === 'accepted') {
    const why = 'The host remembers nothing of the turn.';
    return { kind: 'ended', end: unknownEnd(parts, { attempt, session: takeIn(parts, lost, found).session, why }) };
  }
  const held = attempt.delivery === 'intent' && isAlive(session) ? session : null;
  if (held === null) await endLeft(parts, attempt, call);
  else {
    call.onSession(held.sessionId);
    takeIn(parts, lost, found);
  }
  return { kind: 'unsent', order: sameOrder({ record, plan, attempt, held }) };
}

/** A host that was closed cancels the turns of its sessions. That is no word on the job, which was left to the next office. */
function notCancelled(end: AttemptEnd): AttemptEnd {
  if (end.outcome !== 'cancelled') return end;
  const error = turnError('agent_crashed', 'Its session was ended while it was at work, and nobody cancelled the job.');
  const outcome = 'crashed';
  return { ...end, outcome, error, attempt: { ...end.attempt, outcome, error } };
}

/** A living session is this office's from now on. */
function takeIn({ pool }: JobParts, { plan: { role, template } }: Lost, found: Found): Found {
  if (!isAlive(found.session)) return found;
  pool.adopt({ session: found.session, role, template, key: poolKey(template) });
  return found;
}

function isAlive(session: SessionInfo | null): session is SessionInfo {
  return session !== null && session.status !== 'terminated';
}

/** Ends a session that was never sent its prompt; one that is still being opened is waited for, so that its folder is free. */
async function endLeft(parts: JobParts, { sessionId }: AttemptRecord, call: RecoveryCall) {
  const { pool, sessions } = parts;
  if (sessionId === '') return;
  await pool.release(sessionId, { kind: 'spent', reason: 'It was lost from sight before its prompt was sent.' });
  await whenHostAnswers(parts, () => sessions.terminate(sessionId), call).catch((thrown: unknown) => {
    if (!isSemoError(thrown, 'session_unknown')) throw thrown;
  });
}

/** An attempt whose end was written down, though not what was to come of it. */
function knownEnd(attempt: AttemptRecord, { session, turn }: Found): AttemptEnd {
  const { outcome, error } = attempt;
  const confidence = turn?.state.kind === 'ended' ? turn.state.confidence : 'certain';
  return {
    attempt,
    turn,
    session: isAlive(session) ? session : null,
    workspace: session?.workspace ?? null,
    outcome: outcome ?? 'unknown',
    confidence,
    error,
  };
}

/** Nobody can tell what came of it: a person has to look. */
function unknownEnd(
  { clock }: JobParts,
  { attempt, session, why }: { attempt: AttemptRecord; session: SessionInfo | null; why: string },
): AttemptEnd {
  const said = `${why} Nobody knows what became of the prompt: look at the work before it is done again.`;
  const { outcome, confidence, error } = verdictOf(new SemoError('delivery_unknown', said));
  const ended: AttemptRecord = { ...attempt, delivery: 'ended', endedAt: clock.now(), outcome, error };
  const workspace = session?.workspace ?? null;
  return { attempt: ended, turn: null, session, workspace, outcome, confidence, error };
}
