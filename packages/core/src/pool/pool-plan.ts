import type { CloseReason, PoolPlan, PoolStep, PoolView, SessionView, WaiterView } from './pool-view.ts';

/**
 * Decides what to open, hand out and close. Pure. The rules, in this order:
 *
 * 1. What must not be handed out any more is closed.
 * 2. Those who wait are served by priority, then in the order they came. Each is given an idle session that fits, or
 *    counts on one that is on its way to nobody, or room for one of its own. Room is made by closing idle cold sessions,
 *    the longest unused first. An idle warm one is closed only if nothing in the pool makes room by itself.
 * 3. What nobody wants is closed: openings whose waiter has left, what is beyond the targets, what was idle too long.
 * 4. What room is left refills the targets. Who waits for a moment (backoff, admission) has its room kept.
 *
 * Only so many are opened at once; for the others the room is kept until one of those is open.
 */
export function planPool(view: PoolView): PoolPlan {
  const draft = new Draft(view);
  draft.closeUnfit();
  for (const waiter of view.waiters.toSorted(inOrder)) draft.serve(waiter);
  draft.closeUnwanted();
  draft.refill();
  return { steps: draft.steps, wakeAt: draft.wakeAt };
}

const inOrder = (one: WaiterView, other: WaiterView): number =>
  other.priority - one.priority || one.waiterId - other.waiterId;

const idleSince = ({ state }: SessionView): number => (state.kind === 'idle' ? state.since : 0);

class Draft {
  readonly steps: PoolStep[] = [];
  wakeAt: number | null = null;
  readonly #view: PoolView;
  readonly #idle: Set<SessionView>;
  /** On their way, and not yet counted on by anybody. */
  readonly #promised: Set<SessionView>;
  /** How many of a target are missing. */
  readonly #missing = new Map<string, number>();
  /** Places that nobody takes, and places that will be free once what is being ended is gone. */
  #room: number;
  #coming: number;
  /** How many more may be begun to be opened. */
  #openable: number;
  /** Whether something handed out or opened by this plan will give its room back. */
  #givesRoomBack = false;

  constructor(view: PoolView) {
    const { sessions, targets, strategy } = view;
    this.#view = view;
    this.#idle = new Set(sessions.filter(({ state }) => state.kind === 'idle'));
    this.#promised = new Set(sessions.filter((session) => isPromised(session)));
    this.#room = Math.max(0, view.max - sessions.length);
    this.#coming = sessions.filter(({ state }) => state.kind === 'ending').length;
    this.#openable = view.maxOpening - sessions.filter(({ state }) => state.kind === 'opening').length;
    const wanted = strategy === 'on-demand' ? [] : targets;
    for (const { key } of wanted) this.#missing.set(key, -warmOf(sessions, key).length);
    for (const { key, count } of wanted) this.#addMissing(key, count);
  }

  /** Closes what is idle, or only being opened for a target, and must not be handed out. */
  closeUnfit(): void {
    const { now, sessions, max } = this.#view;
    for (const session of [...this.#idle, ...this.#promised]) {
      if (session.retired) this.#close(session, 'retired');
      else if (session.state.kind === 'idle' && session.unfitAt !== null) {
        if (session.unfitAt <= now) this.#close(session, 'credential');
        else this.#wake(session.unfitAt);
      }
    }
    // `max` may have been lowered.
    for (let over = sessions.length - this.#coming - max; over > 0; over -= 1) {
      const victim = this.#oldestIdle('cold') ?? this.#oldestIdle('warm');
      if (victim !== null) this.#close(victim, 'room');
    }
  }

  serve(waiter: WaiterView): void {
    const session = this.#best(this.#idle, waiter);
    if (session !== null) {
      this.#idle.delete(session);
      this.#givesRoomBack ||= session.origin === 'cold' || this.#view.reuse === 'recycle';
      this.steps.push({ kind: 'hand_out', sessionId: session.sessionId, waiterId: waiter.waiterId });
      return;
    }
    const promised = this.#best(this.#promised, waiter);
    if (promised !== null) this.#promised.delete(promised);
    else if (this.#isServedWarm(waiter)) this.#openWarmFor(waiter.key);
    else if (this.#mayTake(waiter.notBefore)) {
      this.#givesRoomBack = true;
      this.steps.push({ kind: 'open_cold', waiterId: waiter.waiterId });
    }
  }

  closeUnwanted(): void {
    const { sessions, reuse, idleCloseMs, now } = this.#view;
    for (const session of this.#promised) {
      if (session.state.kind === 'opening' && session.origin === 'cold') this.#close(session, 'abandoned');
    }
    for (const key of new Set(sessions.filter(({ origin }) => origin === 'warm').map((each) => each.key))) {
      const missing = this.#missing.get(key) ?? -warmOf(sessions, key).length;
      this.#closeSurplus(key, -missing);
    }
    for (const session of this.#idle) {
      if (reuse === 'recycle' && (session.leftover || session.origin === 'cold')) this.#close(session, 'abandoned');
      else if (session.origin === 'cold') {
        const closeAt = idleSince(session) + idleCloseMs;
        if (closeAt <= now) this.#close(session, 'idle');
        else this.#wake(closeAt);
      }
    }
  }

  refill(): void {
    const { targets, keepsWarm, now } = this.#view;
    for (const { key, retryAt } of keepsWarm ? targets : []) {
      for (let missing = this.#missing.get(key) ?? 0; missing > 0; missing -= 1) {
        if (retryAt > now) this.#wake(retryAt);
        else if (this.#room > 0 && this.#mayOpen()) {
          this.#room -= 1;
          this.#addMissing(key, -1);
          this.steps.push({ kind: 'open_warm', key });
        }
      }
    }
  }

  /** The one that fits best: a warm one first, then the one used last, so that the others come of age. */
  #best(among: ReadonlySet<SessionView>, waiter: WaiterView): SessionView | null {
    if (waiter.coldOnly) return null;
    const warmOnly = this.#isServedWarm(waiter);
    let best: SessionView | null = null;
    for (const session of among) {
      if (session.key !== waiter.key || (waiter.place !== null && waiter.place !== session.place)) continue;
      if (warmOnly && session.origin !== 'warm') continue;
      if (best === null || isBetter(session, best)) best = session;
    }
    return best;
  }

  /** Whether only its target's sessions serve a waiter. */
  #isServedWarm({ key, coldOnly, place }: WaiterView): boolean {
    if (this.#view.strategy !== 'warm' || coldOnly) return false;
    return this.#view.targets.some(
      (target) => target.key === key && target.count > 0 && (place === null || place === target.place),
    );
  }

  #openWarmFor(key: string): void {
    const missing = this.#missing.get(key) ?? 0;
    if (missing <= 0) return;
    this.#addMissing(key, -1);
    const retryAt = this.#view.targets.find((target) => target.key === key)?.retryAt ?? 0;
    if (this.#mayTake(retryAt)) this.steps.push({ kind: 'open_warm', key });
  }

  /** Whether something may be opened now. If not, room is kept, waited for or made, as far as there is any. */
  #mayTake(notBefore: number): boolean {
    const isLater = notBefore > this.#view.now;
    if (isLater) this.#wake(notBefore);
    if (this.#room > 0) {
      this.#room -= 1;
      return !isLater && this.#mayOpen();
    }
    if (this.#coming > 0) this.#coming -= 1;
    else if (!isLater) {
      const victim = this.#oldestIdle('cold') ?? (this.#makesRoomItself() ? null : this.#oldestIdle('warm'));
      if (victim === null) return false;
      this.#close(victim, 'room');
      this.#coming -= 1;
    }
    return false;
  }

  /** Whether one more may be begun to be opened, which it then is. */
  #mayOpen(): boolean {
    if (this.#openable <= 0) return false;
    this.#openable -= 1;
    return true;
  }

  /** Whether some session will sooner or later end, or become an idle cold one. */
  #makesRoomItself(): boolean {
    const { sessions, reuse } = this.#view;
    if (this.#givesRoomBack) return true;
    return sessions.some(({ state, origin, retired }) => {
      if (state.kind === 'idle') return false;
      return reuse === 'recycle' || origin === 'cold' || retired || state.kind === 'ending';
    });
  }

  #oldestIdle(origin: 'warm' | 'cold'): SessionView | null {
    let oldest: SessionView | null = null;
    for (const session of this.#idle) {
      if (session.origin === origin && (oldest === null || idleSince(session) < idleSince(oldest))) oldest = session;
    }
    return oldest;
  }

  #closeSurplus(key: string, surplus: number): void {
    const ofKey = (each: SessionView): boolean => each.key === key && each.origin === 'warm';
    const closable = [...this.#idle].filter(ofKey).toSorted((one, other) => idleSince(one) - idleSince(other));
    closable.unshift(...[...this.#promised].filter((each) => ofKey(each) && each.state.kind === 'opening'));
    for (const session of closable.slice(0, Math.max(0, surplus))) this.#close(session, 'surplus');
  }

  #close(session: SessionView, reason: CloseReason): void {
    this.#idle.delete(session);
    this.#promised.delete(session);
    this.#coming += 1;
    if (reason === 'credential' && session.origin === 'warm') this.#addMissing(session.key, 1);
    this.steps.push({ kind: 'close', sessionId: session.sessionId, reason });
  }

  #addMissing(key: string, more: number): void {
    const missing = this.#missing.get(key);
    if (missing !== undefined) this.#missing.set(key, missing + more);
  }

  #wake(at: number): void {
    if (this.wakeAt === null || at < this.wakeAt) this.wakeAt = at;
  }
}

function isBetter(one: SessionView, other: SessionView): boolean {
  if (one.origin !== other.origin) return one.origin === 'warm';
  return idleSince(one) > idleSince(other);
}

/** What a target already has, whatever it is doing. */
function warmOf(sessions: readonly SessionView[], key: string): SessionView[] {
  return sessions.filter(
    (each) => each.origin === 'warm' && each.key === key && !each.retired && each.state.kind !== 'ending',
  );
}

/** Being opened for nobody in particular, or being cleared. */
function isPromised({ state }: SessionView): boolean {
  return (state.kind === 'opening' && state.waiterId === null) || state.kind === 'readying';
}
