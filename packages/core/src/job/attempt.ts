import { SemoError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { TurnError } from '../monitor/evidence.ts';
import type { SessionInfo } from '../session/session.ts';
import type { Confidence, Outcome, TurnInfo } from '../session/turn.ts';
import type { WorkspaceInfo } from '../session/workspace.ts';
import { verdictOf, type Verdict } from './attempt-verdict.ts';
import type { AttemptRecord } from './job-record.ts';
import type { JobParts } from './job-parts.ts';
import type { JobPlan } from './job-plan.ts';
import { withLateUsage } from './late-usage.ts';
import type { AttemptReason } from './run-line.ts';

/** An attempt to be made. */
export interface AttemptOrder {
  readonly number: number;
  readonly reason: AttemptReason;
  readonly plan: JobPlan;
  readonly key: string;
  readonly priority: number;
  /** What the agent is told. */
  readonly text: string;
  /** The session of the attempt before, if it is still in hand. */
  readonly held: SessionInfo | null;
  /** With `held`: the turn its prompt was to be, so that sending it again is sending it once. Default: a new one. */
  readonly turnId?: string | undefined;
}

/** What came of an attempt. Its session, if it is told, is still in hand. */
export interface AttemptEnd {
  readonly attempt: AttemptRecord;
  readonly turn: TurnInfo | null;
  readonly session: SessionInfo | null;
  /** Where it was made; `null`: it never had a session, or nobody remembers it. */
  readonly workspace: WorkspaceInfo | null;
  readonly outcome: Outcome;
  readonly confidence: Confidence;
  readonly error: TurnError | null;
}

/** What an attempt needs of its job. */
export interface AttemptCall {
  /** Ends it: its turn is cancelled. */
  readonly signal: AbortSignal;
  /** Writes down how far it is, before it goes on. */
  readonly log: (attempt: AttemptRecord) => Promise<void>;
  /** Told of the session as soon as its id is known. */
  readonly onSession: (sessionId: string) => void;
  /** Told when the agent has the prompt. */
  readonly onAccepted?: (() => void) | undefined;
}

/** Makes one attempt: a session, the prompt, its turn. However that goes is told by what it resolves with. */
export async function makeAttempt(parts: JobParts, order: AttemptOrder, call: AttemptCall): Promise<AttemptEnd> {
  const { clock } = parts;
  const startedAt = clock.now();
  let session = order.held;
  let attempt = begun(order, startedAt);
  const onSession = async (sessionId: string): Promise<void> => {
    attempt = { ...attempt, sessionId };
    call.onSession(sessionId);
    // Before there is anything to be left behind by a process that is killed.
    await call.log(attempt);
  };
  try {
    session ??= await acquire(parts, order, { ...call, onSession });
    const { sessionId, agent } = session;
    attempt = { ...attempt, sessionId, delivery: 'intent', conversationId: agent.conversationId ?? null };
    await call.log(attempt);
    call.signal.throwIfAborted();
    return await runTurn({
      parts,
      session,
      attempt,
      call,
      send: { text: withPlace(order.text, session), options: order.plan.options },
    });
  } catch (thrown) {
    const error = await endOrLeave(parts, { thrown, session, call });
    return endedAttempt({ attempt, session, turn: null, at: clock.now(), verdict: verdictOf(error) });
  }
}

/** Goes on with an attempt whose prompt the host has: follows its turn. */
export async function followAttempt(
  parts: JobParts,
  { attempt, session }: { readonly attempt: AttemptRecord; readonly session: SessionInfo },
  call: AttemptCall,
): Promise<AttemptEnd> {
  try {
    return await runTurn({ parts, session, attempt, call, send: null });
  } catch (thrown) {
    const error = await endOrLeave(parts, { thrown, session, call });
    return endedAttempt({ attempt, session, turn: null, at: parts.clock.now(), verdict: verdictOf(error) });
  }
}

/** Why an attempt has ended. @throws SemoError `lease_lost`: it has not, and its session is the next office's. */
async function endOrLeave(
  { pool }: JobParts,
  { thrown, session, call }: { thrown: unknown; session: SessionInfo | null; call: AttemptCall },
): Promise<SemoError> {
  const error = SemoError.from(call.signal.aborted ? call.signal.reason : thrown);
  if (error.code !== 'lease_lost') return error;
  if (session !== null) await pool.release(session.sessionId, { kind: 'abandoned' });
  throw error;
}

/** An agent that was there before its job tells its model the branch of that time. */
function withPlace(text: string, { agent, workspace: { link, branch } }: SessionInfo): string {
  if (link === undefined || branch === undefined || agent.kind === 'shell') return text;
  return `${text}\n\n(This folder is on the branch ${branch} now, whatever was said before.)`;
}

async function acquire(
  { pool }: JobParts,
  order: AttemptOrder,
  call: Pick<AttemptCall, 'signal'> & { readonly onSession: (sessionId: string) => Promise<void> },
): Promise<SessionInfo> {
  const { plan, key, priority } = order;
  const { session } = await pool.acquire(
    {
      key,
      role: plan.role,
      template: plan.template,
      assignment: plan.assignment,
      // A second attempt is a second session.
      sessionId: order.number === 0 ? plan.sessionId : undefined,
      priority,
      onSession: call.onSession,
    },
    { signal: call.signal },
  );
  return session;
}

function begun({ number, reason, plan, held, turnId }: AttemptOrder, startedAt: number): AttemptRecord {
  return {
    number,
    reason,
    sessionId: '',
    turnId: turnId ?? newId('turn'),
    delivery: held === null ? 'opening' : 'intent',
    conversationId: resumedBy(plan),
    startedAt,
    endedAt: null,
    outcome: null,
    error: null,
  };
}

function resumedBy({ template: { agent } }: JobPlan): string | null {
  return 'resume' in agent ? (agent.resume ?? null) : null;
}

interface TurnRun {
  readonly parts: JobParts;
  readonly session: SessionInfo;
  readonly attempt: AttemptRecord;
  readonly call: AttemptCall;
  /** `null`: it has been sent. */
  readonly send: { readonly text: string; readonly options: JobPlan['options'] } | null;
}

async function runTurn({ parts, session, attempt, call, send }: TurnRun): Promise<AttemptEnd> {
  const { sessions, clock } = parts;
  const { sessionId } = session;
  const cancel = (): void => {
    // Whoever has lost the job to another office leaves its turn alone.
    if (SemoError.from(call.signal.reason).code !== 'lease_lost') sessions.cancel(sessionId).catch(() => undefined);
  };
  let known = attempt;
  try {
    const sending = send && sessions.sendPrompt(sessionId, send.text, { ...send.options, turnId: attempt.turnId });
    call.signal.addEventListener('abort', cancel, { once: true });
    if (call.signal.aborted) cancel();
    await sending;
    call.onAccepted?.();
    known = await accepted(parts, { attempt, sessionId, call });
    const ended = await sessions.waitForTurn(sessionId, attempt.turnId, lostBy(call.signal));
    const turn = await withLateUsage(parts, ended);
    // Only now it is known which conversation it is. Without that the job has its result all the same.
    const after = (await sessions.get(sessionId).catch(() => null)) ?? session;
    const verdict = turn.state.kind === 'ended' ? turn.state : verdictOf(new SemoError('internal', 'No verdict.'));
    return endedAttempt({
      attempt: known,
      session: after,
      turn,
      at: clock.now(),
      verdict: overruled(verdict, call.signal),
    });
  } finally {
    call.signal.removeEventListener('abort', cancel);
  }
}

async function accepted(
  { sessions }: JobParts,
  { attempt, sessionId, call }: { attempt: AttemptRecord; sessionId: string; call: AttemptCall },
): Promise<AttemptRecord> {
  if (attempt.delivery !== 'intent') return attempt;
  const info = await sessions.get(sessionId).catch(() => null);
  const conversationId = info?.agent.conversationId ?? attempt.conversationId;
  const known: AttemptRecord = { ...attempt, delivery: 'accepted', conversationId };
  await call.log(known);
  return known;
}

/** Stops waiting when the job is another office's; any other abort cancels the turn, whose end is waited for. */
function lostBy(signal: AbortSignal): { readonly signal: AbortSignal } {
  const lost = new AbortController();
  const check = (): void => {
    if (SemoError.from(signal.reason).code === 'lease_lost') lost.abort(signal.reason);
  };
  if (signal.aborted) check();
  else signal.addEventListener('abort', check, { once: true });
  return { signal: lost.signal };
}

/** A turn that was cancelled because the job's time was up has timed out. */
function overruled(verdict: Verdict, signal: AbortSignal): Verdict {
  if (!signal.aborted || verdict.outcome !== 'cancelled') return verdict;
  return verdictOf(SemoError.from(signal.reason));
}

function endedAttempt({
  attempt,
  session,
  turn,
  at,
  verdict: { outcome, confidence, error },
}: {
  readonly attempt: AttemptRecord;
  readonly session: SessionInfo | null;
  readonly turn: TurnInfo | null;
  readonly at: number;
  readonly verdict: Verdict;
}): AttemptEnd {
  const conversationId = session?.agent.conversationId ?? attempt.conversationId;
  const known: AttemptRecord = {
    ...attempt,
    delivery: 'ended',
    conversationId,
    endedAt: at,
    outcome,
    error,
    ...usageOf(turn),
  };
  const workspace = session?.workspace ?? null;
  return { attempt: known, session, workspace, turn, outcome, confidence, error };
}

function usageOf(turn: TurnInfo | null): Pick<AttemptRecord, 'usage'> {
  return turn?.usage === undefined ? {} : { usage: turn.usage };
}
