import { systemClock, type Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import { Alarm } from './alarm.ts';
import { beginReadying } from './handing-work.ts';
import { poolStatus } from './pool-count.ts';
import { PoolDemand } from './pool-demand.ts';
import { newEntry, toInfo, type PoolEntry } from './pool-entry.ts';
import type {
  AcquireOptions,
  AdoptedSession,
  PoolEvents,
  PoolManager,
  PoolOptions,
  PoolRequest,
  PooledSession,
  PooledSessionInfo,
  SessionUse,
  WarmTarget,
} from './pool.ts';
import { PoolPace } from './pool-pace.ts';
import { endEntry, noteLoss, type PoolParts, type Tally } from './pool-parts.ts';
import { planPool } from './pool-plan.ts';
import { presentView } from './pool-present.ts';
import { poolSettings, type PoolSettings } from './pool-settings.ts';
import type { PoolStatus } from './pool-status.ts';
import { takeStep } from './pool-steps.ts';
import { Waiters, needsSwitch, type Waiter } from './pool-waiters.ts';

const SIZING_EVERY_MS = 60_000;

/** The pool itself: whatever happens to it, it plans anew and does what the plan says. */
export class SessionPool implements PoolManager {
  readonly #options: PoolOptions;
  readonly #settings: PoolSettings;
  readonly #clock: Clock;
  readonly #hub = new EventHub<PoolEvents>();
  readonly #entries = new Map<string, PoolEntry>();
  readonly #pace = new PoolPace();
  readonly #tally: Tally = { handedOut: { warm: 0, idle: 0, cold: 0 }, opened: 0, failed: 0, recycled: 0, reaped: 0 };
  readonly #unswitchable = new Set<string>();
  readonly #closing = new AbortController();
  readonly #waiters: Waiters;
  readonly #parts: PoolParts;
  readonly #unsubscribes: readonly Unsubscribe[];
  readonly #demand: PoolDemand;
  readonly #alarm: Alarm;
  #keepsWarm = false;
  #isPlanning = false;
  #planAgain = false;
  #settling: (() => void)[] = [];
  #closed: Promise<void> | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#settings = poolSettings(options);
    this.#clock = options.clock ?? systemClock;
    this.#demand = new PoolDemand(options, this.#settings.max);
    this.#alarm = new Alarm(this.#clock, () => this.#move());
    this.#waiters = new Waiters({
      clock: this.#clock,
      timeoutMs: this.#settings.acquireTimeoutMs,
      coldOnly: (request) =>
        request.sessionId !== undefined || (needsSwitch(request) && this.#unswitchable.has(request.key)),
      reasonOf: ({ request }) => this.#pace.lastError(request.key),
      onLeft: (waiter) => this.#left(waiter),
    });
    this.#parts = this.#newParts();
    this.#unsubscribes = [
      options.sessions.on('exit', ({ sessionId }) => this.#died(sessionId)),
      options.sessions.on('status', ({ sessionId, status }) => {
        if (status === 'terminated') this.#died(sessionId);
        // Nobody knows whether it will be fit again, as when its host is lost; one in use is for its job to judge.
        if (status === 'error' && this.#entries.get(sessionId)?.state.kind === 'idle') this.#died(sessionId);
      }),
      options.sessions.on('retiring', ({ sessionId }) =>
        this.retire((session) => session.sessionId === sessionId, 'Its host is going to close.'),
      ),
    ];
  }

  async initializeWarmPool(): Promise<void> {
    this.#keepsWarm = true;
    this.#move();
    // Not all are begun at once. Of what is opened later, for targets that were used meanwhile, nobody waits here.
    const wanted = this.#demand.targets.reduce((sum, { count }) => sum + count, 0);
    const tried = new Set<Promise<void>>();
    for (let before = -1; before < tried.size && tried.size < wanted;) {
      before = tried.size;
      for (const entry of this.#entries.values()) {
        if (entry.origin === 'warm' && entry.tried !== null) tried.add(entry.tried);
      }
      await Promise.all(tried);
    }
  }

  async acquire(request: PoolRequest, call: AcquireOptions = {}): Promise<PooledSession> {
    if (this.#closed !== null) throw closedError();
    const { sessionId } = request;
    if (sessionId !== undefined && (this.#entries.has(sessionId) || this.#waiters.hasOwn(sessionId)))
      throw new SemoError('session_conflict', `The pool has a session ${sessionId} already. Use another id.`);
    const answer = this.#waiters.add(request, call);
    this.#move();
    return answer;
  }

  async release(sessionId: string, use: SessionUse): Promise<void> {
    const entry = this.#entries.get(sessionId);
    if (entry?.state.kind !== 'in_use') return;
    if (use.kind === 'abandoned') {
      this.#entries.delete(sessionId);
      return this.#move();
    }
    const isGood = use.kind === 'reusable' && !entry.died && entry.retired === null && !entry.isOwn;
    if (isGood && this.#settings.reuse === 'clear') beginReadying(this.#parts, entry);
    else {
      this.#tally.recycled += 1;
      endEntry(this.#parts, entry);
    }
    this.#move();
  }

  async gone(sessionId: string): Promise<void> {
    await this.#entries.get(sessionId)?.ended;
  }

  adopt({ session, ...seed }: AdoptedSession): void {
    const { sessionId } = session;
    if (this.#closed !== null || this.#entries.has(sessionId)) return;
    const entry = newEntry({ ...seed, sessionId, origin: 'cold', isOwn: true, waiterId: null });
    this.#entries.set(sessionId, { ...entry, state: { kind: 'in_use' }, info: session });
    this.#move();
  }

  async cleanupIdle(): Promise<number> {
    const before = this.#tally.reaped;
    this.#move();
    return this.#tally.reaped - before;
  }

  retire(matches: (session: PooledSessionInfo) => boolean, reason: string): void {
    const living = [...this.#entries.values()].filter(({ state }) => state.kind !== 'ending');
    for (const entry of living.filter((each) => matches(toInfo(each)))) entry.retired = reason;
    this.#move();
  }

  setTargets(targets: readonly WarmTarget[]): void {
    this.#demand.configure(targets);
    this.#pace.keepOnly(new Set(targets.map(({ key }) => key)));
    this.#move();
  }

  getPoolStatus(): PoolStatus {
    return poolStatus({
      now: this.#clock.now(),
      max: this.#demand.max,
      entries: this.#entries.values(),
      waiters: this.#waiters.all(),
      targets: this.#demand.targets,
      totals: this.#tally,
    });
  }

  readonly on: PoolManager['on'] = (event, listener) => this.#hub.on(event, listener);

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settling.push(resolve);
      this.#tellSettled();
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // Not before `close` has noted that it is under way: what is told here may come back.
    await Promise.resolve();
    this.#closing.abort();
    this.#alarm.setTo(null);
    for (const waiter of this.#waiters.all()) this.#waiters.reject(waiter, closedError());
    for (const entry of this.#entries.values()) endEntry(this.#parts, entry);
    await this.settled();
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#hub.clear();
  }

  #newParts(): PoolParts {
    const { sessions, admission, owner } = this.#options;
    const { createAttempts, openTimeoutMs } = this.#settings;
    return {
      sessions,
      mark: owner === undefined ? {} : { owner },
      clock: this.#clock,
      admission,
      createAttempts,
      openTimeoutMs,
      entries: this.#entries,
      waiters: this.#waiters,
      pace: this.#pace,
      tally: this.#tally,
      unswitchable: this.#unswitchable,
      closing: this.#closing.signal,
      tell: (fault) => this.#hub.emit('fault', fault),
      moved: () => this.#move(),
    };
  }

  /** Somebody has left: what was being opened for it is free for others, unless it is of its very own. */
  #left({ waiterId }: Waiter): void {
    for (const entry of this.#entries.values()) {
      if (entry.state.kind !== 'opening' || entry.state.waiterId !== waiterId) continue;
      entry.state = { kind: 'opening', waiterId: null };
      entry.leftover = true;
      if (entry.isOwn) endEntry(this.#parts, entry);
    }
    this.#move();
  }

  #died(sessionId: string): void {
    const entry = this.#entries.get(sessionId);
    if (entry === undefined || entry.died) return;
    entry.died = true;
    // One that is being opened or handed out is dealt with when that comes back; one in use is its job's until released.
    if (entry.state.kind !== 'idle') return;
    const error = new SemoError('agent_crashed', `Session ${sessionId} ended, or was lost, while nobody used it.`);
    noteLoss(this.#parts, entry, { kind: 'session_lost', error });
    endEntry(this.#parts, entry);
    this.#move();
  }

  /** Plans, and does what the plan says, until nothing has changed meanwhile. */
  #move(): void {
    if (this.#closed !== null) return this.#tellSettled();
    this.#planAgain = true;
    if (this.#isPlanning) return;
    this.#isPlanning = true;
    const present = { parts: this.#parts, settings: this.#settings, demand: this.#demand };
    while (this.#planAgain && this.#closed === null) {
      this.#planAgain = false;
      this.#resize();
      const { steps, wakeAt } = planPool(presentView({ ...present, keepsWarm: this.#keepsWarm }));
      for (const step of steps) takeStep(this.#parts, this.#demand, step);
      this.#alarm.setTo(this.#earlier(wakeAt));
    }
    this.#isPlanning = false;
    if (this.#hub.listenerCount('change') > 0) this.#hub.emit('change', this.getPoolStatus());
    this.#tellSettled();
  }

  #resize(): void {
    const now = this.#clock.now();
    const error = this.#demand.resize(() => this.getPoolStatus(), now);
    if (error === null) return;
    const about = { key: null, role: null, sessionId: null, retryInMs: null, at: now };
    this.#hub.emit('fault', { kind: 'listener_failed', error, ...about });
  }

  /** With a size that changes by time, the pool looks again without being asked. */
  #earlier(wakeAt: number | null): number | null {
    if (!this.#demand.isDynamic) return wakeAt;
    const nextSizing = this.#clock.now() + SIZING_EVERY_MS;
    return wakeAt === null ? nextSizing : Math.min(wakeAt, nextSizing);
  }

  #tellSettled(): void {
    const isBusy = [...this.#entries.values()].some(({ state }) => state.kind !== 'idle' && state.kind !== 'in_use');
    if (isBusy) return;
    for (const resolve of this.#settling.splice(0)) resolve();
  }
}

function closedError(): SemoError {
  return new SemoError('closed', 'This pool is closed. Create another one.');
}
