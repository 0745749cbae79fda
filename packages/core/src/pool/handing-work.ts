import { SemoError, assertNever } from '../errors.ts';
import type { SessionInfo } from '../session/session.ts';
import { switchedPlace, type PoolEntry } from './pool-entry.ts';
import { announce, endEntry, failWaiter, handOut, noteLoss, requeue, type PoolParts } from './pool-parts.ts';
import { needsSwitch, type Waiter } from './pool-waiters.ts';
import { checkSession, clearSession, switchSession, type Handed } from './session-handing.ts';

/** A session that is to become somebody's. `fresh`: what is known of one that was made for this very caller. */
export interface Offer {
  readonly entry: PoolEntry;
  readonly waiter: Waiter;
  readonly fresh: SessionInfo | null;
}

/** Checks a session, switches it, and hands it out; what turns out to be unfit is replaced by another. */
export function beginOffer(parts: PoolParts, offer: Offer): void {
  offer.entry.state = { kind: 'offered', waiterId: offer.waiter.waiterId };
  offer.waiter.isServed = true;
  void carryOut(parts, offer);
}

/** Clears a session that was given back, for the next job. */
export function beginReadying(parts: PoolParts, entry: PoolEntry): void {
  entry.state = { kind: 'readying' };
  void makeReady(parts, entry);
}

async function carryOut(parts: PoolParts, offer: Offer): Promise<void> {
  const { entry, waiter, fresh } = offer;
  const { waiters } = parts;
  const handing = { ...parts, sessionId: entry.sessionId };
  const checked: Handed = fresh === null ? await checkSession(handing) : { kind: 'ready', info: fresh };
  const isWanted = (): boolean =>
    entry.state.kind === 'offered' && !entry.died && waiters.find(waiter.waiterId) !== null;
  let handed = checked;
  if (checked.kind === 'ready' && isWanted()) {
    const noted = fresh === null ? announce(parts, entry, waiter) : null;
    if (noted !== null) await noted;
    if (isWanted()) handed = await switched(parts, offer, checked);
  }
  if (entry.state.kind === 'offered') settle(parts, offer, handed);
  else requeue(waiter);
  parts.moved();
}

async function switched(parts: PoolParts, { entry, waiter }: Offer, checked: Handed): Promise<Handed> {
  const { assignment } = waiter.request;
  if (assignment === undefined || !needsSwitch(waiter.request)) return checked;
  const handed = await switchSession({ ...parts, sessionId: entry.sessionId }, assignment, parts.openTimeoutMs);
  if (handed.kind === 'ready') entry.place = switchedPlace(assignment);
  return handed;
}

function settle(parts: PoolParts, { entry, waiter, fresh }: Offer, handed: Handed): void {
  const { waiters, clock, unswitchable, createAttempts } = parts;
  switch (handed.kind) {
    case 'ready':
      if (entry.died) return lose(parts, { entry, waiter, fresh }, endedMeanwhile(entry));
      if (waiters.find(waiter.waiterId) !== null)
        return handOut(parts, waiter, { entry, info: handed.info, isFresh: fresh !== null });
      entry.state = { kind: 'idle', since: clock.now() };
      entry.leftover = true;
      return;
    case 'unfit':
      if (handed.dirty) waiter.dirty += 1;
      // Wherever it is sent, somebody's work lies about: one of its own is clean.
      if (waiter.dirty >= createAttempts) waiter.coldOnly = true;
      return lose(parts, { entry, waiter, fresh }, handed.error);
    case 'unswitchable':
      if (fresh !== null) return give(parts, { entry, waiter, fresh }, handed.error);
      entry.state = { kind: 'idle', since: clock.now() };
      unswitchable.add(entry.key);
      waiter.coldOnly = true;
      return requeue(waiter);
    case 'failed':
      return give(parts, { entry, waiter, fresh }, handed.error);
    default:
      assertNever(handed);
  }
}

/** The session is no good: another is used. One that was made for the caller counts as a failed opening. */
function lose(parts: PoolParts, offer: Offer, error: SemoError): void {
  if (offer.fresh !== null) return give(parts, offer, error);
  noteLoss(parts, offer.entry, { kind: 'session_lost', error });
  endEntry(parts, offer.entry);
  requeue(offer.waiter);
}

/** It failed with this caller's own request. */
function give(parts: PoolParts, { entry, waiter }: Offer, error: SemoError): void {
  endEntry(parts, entry);
  failWaiter(parts, waiter, error);
}

async function makeReady(parts: PoolParts, entry: PoolEntry): Promise<void> {
  const { clock, moved } = parts;
  const handed = await clearSession({ ...parts, sessionId: entry.sessionId });
  if (entry.state.kind !== 'readying') return;
  if (handed.kind === 'ready' && !entry.died) {
    entry.info = handed.info;
    entry.state = { kind: 'idle', since: clock.now() };
  } else {
    const error = handed.kind === 'ready' ? endedMeanwhile(entry) : handed.error;
    // An agent that cannot be cleared is recycled after every job: that is no fault.
    if (error.code !== 'not_supported') noteLoss(parts, entry, { kind: 'session_lost', error });
    endEntry(parts, entry);
  }
  moved();
}

function endedMeanwhile({ sessionId }: PoolEntry): SemoError {
  return new SemoError('agent_crashed', `Session ${sessionId} ended while nobody used it.`);
}
