import type { Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import type { SessionManager } from '../session/session-manager.ts';
import type { SessionInfo } from '../session/session.ts';
import type { Admission } from './admission.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { PoolFault, SessionSource } from './pool.ts';
import { backoffMs, type PoolPace } from './pool-pace.ts';
import type { Waiter, Waiters } from './pool-waiters.ts';
import { endSession } from './session-ending.ts';

/** What has happened so far; see `PoolTotals`. */
export interface Tally {
  readonly handedOut: { warm: number; idle: number; cold: number };
  opened: number;
  failed: number;
  recycled: number;
  reaped: number;
}

/**
 * What a pool's work is done with. Each piece of work changes a session's state at once and does what takes time behind;
 * whatever comes back later looks first whether the session is still in the state it was left in.
 */
export interface PoolParts {
  readonly sessions: SessionManager;
  /** What every session is created with beside its template. */
  readonly mark: { readonly owner?: string };
  readonly clock: Clock;
  readonly admission: Admission | undefined;
  readonly createAttempts: number;
  readonly openTimeoutMs: number;
  readonly entries: Map<string, PoolEntry>;
  readonly waiters: Waiters;
  readonly pace: PoolPace;
  readonly tally: Tally;
  /** Keys whose sessions turned out not to be switchable. */
  readonly unswitchable: Set<string>;
  /** Aborted when the pool is being closed. */
  readonly closing: AbortSignal;
  readonly tell: (fault: PoolFault) => void;
  /** Something has changed: plan again. */
  readonly moved: () => void;
}

/** Something that went wrong with a session, and when it is tried again. */
export interface Trouble {
  readonly kind: PoolFault['kind'];
  readonly error: SemoError;
  readonly retryInMs: number | null;
}

/** Tells of trouble with a session. */
export function tellFault({ tell, clock }: PoolParts, entry: PoolEntry, trouble: Trouble): void {
  const { key, role, sessionId } = entry;
  tell({ ...trouble, key, role, sessionId, at: clock.now() });
}

/** Ends a session; its room is free when nothing of it is left. */
export function endEntry(parts: PoolParts, entry: PoolEntry): void {
  const { entries, moved, sessions, clock, closing } = parts;
  const before = entry.state.kind;
  if (before === 'ending') return;
  entry.state = { kind: 'ending' };
  if (before === 'opening') entry.abort.abort();
  const { sessionId, created } = entry;
  const onFault = (error: SemoError, retryInMs: number | null): void =>
    tellFault(parts, entry, { kind: 'end_failed', error, retryInMs });
  entry.ended = endSession({ sessions, clock, sessionId, created, closing, onFault }).finally(() => {
    entries.delete(sessionId);
    moved();
  });
}

/** Notes that a session could not be opened, or was lost while nobody used it; a target is not tried again at once. */
export function noteLoss(parts: PoolParts, entry: PoolEntry, loss: Omit<Trouble, 'retryInMs'>): void {
  const { pace, clock } = parts;
  const now = clock.now();
  const livedMs = entry.state.kind === 'idle' ? now - entry.state.since : 0;
  const retryInMs = entry.origin === 'warm' ? pace.failed(entry.key, { error: loss.error, now, livedMs }) : null;
  tellFault(parts, entry, { ...loss, retryInMs });
}

/** A session made or switched for somebody failed: it is tried again, or told. */
export function failWaiter({ waiters, createAttempts, clock }: PoolParts, waiter: Waiter, error: SemoError): void {
  waiter.failures += 1;
  waiter.lastError = error;
  if (!error.retryable || waiter.failures >= createAttempts) waiters.reject(waiter, error);
  else requeue(waiter, clock.now() + backoffMs(waiter.failures));
}

/** Somebody waits again, in its old place. */
export function requeue(waiter: Waiter, notBefore = 0): void {
  waiter.isServed = false;
  waiter.notBefore = notBefore;
}

/** Tells a caller which session it is going to be. A promise where the caller has to take note of it first; never rejects. */
export function announce(parts: PoolParts, entry: PoolEntry, { request }: Waiter): Promise<void> | null {
  const failed = (thrown: unknown): void =>
    tellFault(parts, entry, { kind: 'listener_failed', error: SemoError.from(thrown), retryInMs: null });
  try {
    const noted = request.onSession?.(entry.sessionId);
    return noted instanceof Promise ? noted.then(() => undefined, failed) : null;
  } catch (thrown) {
    failed(thrown);
    return null;
  }
}

/** A session is somebody's from now on. */
export function handOut(
  { waiters, tally, pace }: PoolParts,
  waiter: Waiter,
  { entry, info, isFresh }: { readonly entry: PoolEntry; readonly info: SessionInfo; readonly isFresh: boolean },
): void {
  const source: SessionSource = entry.origin === 'warm' ? 'warm' : isFresh ? 'cold' : 'idle';
  entry.state = { kind: 'in_use' };
  entry.info = info;
  entry.leftover = false;
  if (source === 'warm') pace.succeeded(entry.key);
  tally.handedOut[source] += 1;
  waiters.resolve(waiter, info, source);
}
