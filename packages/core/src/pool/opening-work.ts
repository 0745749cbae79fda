import { SemoError, assertNever, isSemoError } from '../errors.ts';
import type { SessionInfo } from '../session/session.ts';
import { beginOffer } from './handing-work.ts';
import type { PoolEntry } from './pool-entry.ts';
import { announce, endEntry, failWaiter, handOut, noteLoss, requeue, tellFault, type PoolParts } from './pool-parts.ts';
import { needsSwitch, type Waiter } from './pool-waiters.ts';
import { unfitAt } from './session-handing.ts';
import { openSession, type Opened } from './session-opening.ts';

/** Opens a session, which takes its room at once. */
export function beginOpening(parts: PoolParts, entry: PoolEntry): void {
  const { entries } = parts;
  const openings = [...entries.values()].filter(({ state }) => state.kind === 'opening').length;
  entries.set(entry.sessionId, entry);
  entry.tried = open(parts, entry, openings);
}

async function open(parts: PoolParts, entry: PoolEntry, openings: number): Promise<void> {
  const { clock, admission, openTimeoutMs, moved } = parts;
  const { sessionId, role, abort } = entry;
  const opened = await openSession({
    clock,
    admission,
    sessionId,
    role,
    openings,
    timeoutMs: openTimeoutMs,
    abort,
    create: (signal) => create(parts, entry, signal),
    onAdmissionFault: (error, retryInMs) => tellFault(parts, entry, { kind: 'admission_failed', error, retryInMs }),
  });
  // It was given up meanwhile; who did that ends it.
  if (entry.state.kind !== 'opening') return;
  settle(parts, entry, opened);
  moved();
}

/** Whom a session is being opened for, if that one still waits. */
function waiterOf({ waiters }: PoolParts, { state }: PoolEntry): Waiter | null {
  return state.kind === 'opening' ? waiters.find(state.waiterId) : null;
}

function create(parts: PoolParts, entry: PoolEntry, signal: AbortSignal): Promise<SessionInfo> {
  const { sessionId, template } = entry;
  const waiter = waiterOf(parts, entry);
  const noted = waiter === null ? null : announce(parts, entry, waiter);
  const createNow = (): Promise<SessionInfo> => {
    // Whoever was told may have left meanwhile.
    signal.throwIfAborted();
    return parts.sessions.create({ ...template, ...parts.mark, sessionId }, { signal });
  };
  const creating = noted === null ? createNow() : noted.then(createNow);
  entry.created = creating.then(
    () => undefined,
    () => undefined,
  );
  return creating;
}

function settle(parts: PoolParts, entry: PoolEntry, opened: Opened): void {
  const { clock, entries, pace, waiters } = parts;
  const waiter = waiterOf(parts, entry);
  switch (opened.kind) {
    case 'opened':
      return become(parts, entry, opened.info);
    case 'not_yet': {
      const retryAt = clock.now() + opened.retryAfterMs;
      entries.delete(entry.sessionId);
      if (waiter !== null) requeue(waiter, retryAt);
      else if (entry.origin === 'warm') pace.postpone(entry.key, retryAt);
      return;
    }
    case 'refused':
      entries.delete(entry.sessionId);
      if (waiter !== null) waiters.reject(waiter, opened.error);
      else noteLoss(parts, entry, { kind: 'open_failed', error: opened.error });
      return;
    case 'failed':
      return fail(parts, entry, opened.error);
    default:
      assertNever(opened);
  }
}

/** It is open: it goes to whom it was made for, or waits for somebody. */
function become(parts: PoolParts, entry: PoolEntry, info: SessionInfo): void {
  const now = parts.clock.now();
  const waiter = waiterOf(parts, entry);
  entry.info = info;
  const endsAt = entry.origin === 'warm' ? unfitAt(info) : null;
  // The answer of a program that has ended already is for the job it was started for, and for no later one.
  const isLost = entry.died && (info.hasAnswered !== true || waiter === null);
  if (isLost || (endsAt !== null && endsAt <= now)) {
    const why = isLost ? 'ended as soon as it was open' : 'has a credential that is about to run out';
    return fail(parts, entry, new SemoError('agent_start_failed', `Session ${entry.sessionId} ${why}.`));
  }
  parts.tally.opened += 1;
  if (waiter === null) entry.state = { kind: 'idle', since: now };
  // A template that names a branch has it already.
  else if (needsSwitch(waiter.request) && entry.template.workspace.kind !== 'git')
    beginOffer(parts, { entry, waiter, fresh: info });
  else handOut(parts, waiter, { entry, info, isFresh: true });
}

function fail(parts: PoolParts, entry: PoolEntry, error: SemoError): void {
  parts.tally.failed += 1;
  const waiter = waiterOf(parts, entry);
  if (waiter === null) noteLoss(parts, entry, { kind: 'open_failed', error });
  else failWaiter(parts, waiter, error);
  // Somebody else's session has that id: it is not for us to end.
  if (isSemoError(error, 'session_conflict')) parts.entries.delete(entry.sessionId);
  else endEntry(parts, entry);
}
