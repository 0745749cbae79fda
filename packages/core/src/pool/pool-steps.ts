import { assertNever } from '../errors.ts';
import { newId } from '../ids.ts';
import { beginOffer } from './handing-work.ts';
import { beginOpening } from './opening-work.ts';
import type { PoolDemand } from './pool-demand.ts';
import { newEntry } from './pool-entry.ts';
import { endEntry, type PoolParts } from './pool-parts.ts';
import type { PoolStep } from './pool-view.ts';

/** Begins what one step of a plan says. It changes the state at once; what takes time goes on behind. */
export function takeStep(parts: PoolParts, demand: PoolDemand, step: PoolStep): void {
  switch (step.kind) {
    case 'hand_out':
      return giveIdle(parts, step);
    case 'open_cold':
      return openCold(parts, step.waiterId);
    case 'open_warm':
      return openWarm(parts, demand, step.key);
    case 'close':
      return closeOne(parts, step);
    default:
      assertNever(step);
  }
}

function giveIdle(parts: PoolParts, { sessionId, waiterId }: Extract<PoolStep, { kind: 'hand_out' }>): void {
  const entry = parts.entries.get(sessionId);
  const waiter = parts.waiters.find(waiterId);
  // A step before this one may have called somebody back, who changed things: what does not hold any more is planned anew.
  if (entry?.state.kind !== 'idle' || waiter === null || waiter.isServed) return;
  beginOffer(parts, { entry, waiter, fresh: null });
}

function openCold(parts: PoolParts, waiterId: number): void {
  const waiter = parts.waiters.find(waiterId);
  if (waiter === null || waiter.isServed) return;
  waiter.isServed = true;
  const { key, role, template, sessionId } = waiter.request;
  const isOwn = sessionId !== undefined;
  const id = sessionId ?? newId('ses');
  beginOpening(parts, newEntry({ sessionId: id, key, role, template, origin: 'cold', isOwn, waiterId }));
}

function openWarm(parts: PoolParts, demand: PoolDemand, key: string): void {
  const target = demand.target(key);
  if (target === null) return;
  const { role, template } = target;
  const sessionId = newId('ses');
  beginOpening(parts, newEntry({ sessionId, key, role, template, origin: 'warm', isOwn: false, waiterId: null }));
}

function closeOne(parts: PoolParts, { sessionId, reason }: Extract<PoolStep, { kind: 'close' }>): void {
  const entry = parts.entries.get(sessionId);
  if (entry === undefined || entry.state.kind === 'in_use' || entry.state.kind === 'offered') return;
  if (reason === 'idle' || reason === 'room') parts.tally.reaped += 1;
  endEntry(parts, entry);
}
