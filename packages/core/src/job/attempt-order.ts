import { assertNever } from '../errors.ts';
import type { TurnError } from '../monitor/evidence.ts';
import { poolKey } from '../pool/pool-key.ts';
import type { NextStep } from '../policy/failure-policy.ts';
import type { SessionInfo } from '../session/session.ts';
import type { AttemptEnd, AttemptOrder } from './attempt.ts';
import { continuing, type JobPlan } from './job-plan.ts';
import { jobPrompt } from './job-prompt.ts';
import type { AttemptRecord, JobRecord } from './job-record.ts';
import type { AttemptReason } from './run-line.ts';

/** The first attempt of a job, or, of one that was reopened, the next. Pure, as everything in this file. */
export function firstOrder(record: JobRecord, plan: JobPlan): AttemptOrder {
  const last = record.attempts.at(-1);
  if (last === undefined) return orderOf({ record, plan, reason: 'first', remembers: false, held: null });
  const conversationId = record.reopened === 'resume' ? last.conversationId : null;
  return goOn({ record, plan, reason: 'by_hand', conversationId, held: null });
}

/**
 * The same attempt once more, since its prompt was never sent: by the session it has, or by a new one in the same place.
 */
export function sameOrder({
  record,
  plan,
  attempt,
  held,
}: {
  readonly record: JobRecord;
  readonly plan: JobPlan;
  readonly attempt: AttemptRecord;
  readonly held: SessionInfo | null;
}): AttemptOrder {
  const { number, reason, turnId, sessionId } = attempt;
  const before = record.attempts[number - 1];
  const begun = { ...record, attempts: record.attempts.slice(0, number) };
  // Only a conversation that the attempt before has had can be gone on with: a new one is nothing before its first prompt.
  const conversationId = before?.conversationId === attempt.conversationId ? attempt.conversationId : null;
  if (sessionId === '') return orderOf({ record: begun, plan, reason, remembers: false, held: null });
  const order = goOn({ record: begun, plan, reason, conversationId, held });
  return held === null ? order : { ...order, turnId };
}

/** The failures that a job has been given another attempt for since it was last begun by hand, before its last attempt. */
export function formerFailures({ attempts, reopened }: JobRecord): TurnError[] {
  if (reopened !== null) return [];
  const begun = attempts.findLastIndex(({ reason }) => reason === 'by_hand');
  return attempts.slice(Math.max(0, begun), -1).flatMap(({ error }) => error ?? []);
}

/** The attempt after one that has failed. */
export function afterFailure({
  record,
  end,
  step,
  held,
  plan,
}: {
  readonly record: JobRecord;
  readonly end: AttemptEnd;
  readonly step: NextStep;
  /** The session of the attempt before, if it goes on. */
  readonly held: SessionInfo | null;
  readonly plan: JobPlan;
}): AttemptOrder {
  const reason = reasonOf(step);
  const { delivery, conversationId } = end.attempt;
  // Cut short before its agent had written anything down: the folder is all there is to go on with.
  if (reason === 'conversation_lost') return goOn({ record, plan, reason, conversationId: null, held });
  // Nothing was begun: whatever comes is a beginning.
  if (end.turn === null && delivery !== 'accepted' && reason !== 'host_lost')
    return orderOf({ record, plan, reason, remembers: false, held });
  return goOn({ record, plan, reason, conversationId, held });
}

/** Whether it makes sense to wait for the next attempt: not for a limit that outlasts the job's own time. */
export function isWorthWaiting({ retryAt }: TurnError, deadlineAt: number | null): boolean {
  return retryAt === undefined || deadlineAt === null || retryAt < deadlineAt;
}

function goOn({
  record,
  plan,
  reason,
  conversationId,
  held,
}: {
  readonly record: JobRecord;
  readonly plan: JobPlan;
  readonly reason: AttemptReason;
  readonly conversationId: string | null;
  readonly held: SessionInfo | null;
}): AttemptOrder {
  const template = continuing(plan.template, conversationId);
  const next: JobPlan = { ...plan, template, assignment: undefined, sessionId: undefined };
  const remembers = held !== null || 'resume' in template.agent;
  return orderOf({ record, plan: next, reason, remembers, held });
}

function orderOf({
  record,
  plan,
  reason,
  remembers,
  held,
}: {
  readonly record: JobRecord;
  readonly plan: JobPlan;
  readonly reason: AttemptReason;
  readonly remembers: boolean;
  readonly held: SessionInfo | null;
}): AttemptOrder {
  const { prompt, context } = record.spec;
  return {
    number: record.attempts.length,
    reason,
    plan,
    key: poolKey(plan.template),
    priority: record.priority,
    // A shell has nobody to be told anything: it would run the words.
    text: plan.template.agent.kind === 'shell' ? prompt : jobPrompt({ prompt, context, reason, remembers }),
    held,
  };
}

function reasonOf(step: NextStep): AttemptReason {
  switch (step.kind) {
    case 'again':
      return step.reason;
    case 'wait':
      return 'rate_limit';
    case 'queue':
      return 'capacity';
    case 'backoff':
    case 'end':
      return 'overloaded';
    default:
      return assertNever(step);
  }
}
