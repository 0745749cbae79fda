import { deepEqual, equal, ok } from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';

import {
  createPoolManager,
  SemoError,
  type Admission,
  type ErrorCode,
  type PoolManager,
  type PooledSession,
  type PoolRequest,
  type SessionTemplate,
  type WarmTarget,
} from '../../src/index.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Random } from './random.ts';
import { UnrulySessions } from './unruly-sessions.ts';

interface Call {
  readonly request: PoolRequest;
  readonly abort: AbortController;
  readonly deadline: number;
  announced: string | null;
  /** From now on nothing stands in its way. */
  mustBeServed: boolean;
}

const agent = { kind: 'command' as const, command: ['agent'] };
const KEYS = ['FE', 'BE', 'QA', 'OPS'] as const;
const isSlot = (key: string): boolean => key === 'FE' || key === 'BE';

/** Two keys in repositories, whose sessions are slots, and two in folders. */
function templateOf(key: string): SessionTemplate {
  const workspace = isSlot(key) ? { kind: 'slot', repoId: key } : { kind: 'path', path: `/${key}` };
  return { agent, workspace: workspace as SessionTemplate['workspace'] };
}

const target = (key: string, count: number): WarmTarget => ({ key, role: key, count, template: templateOf(key) });
const TARGETS: readonly (readonly WarmTarget[])[] = [
  [target('FE', 1), target('BE', 1), target('QA', 1)],
  [target('FE', 2)],
  [target('QA', 1), target('FE', 1)],
  [],
];
/** What `acquire` may fail with here. */
const REFUSALS: readonly ErrorCode[] = [
  'pool_timed_out',
  'aborted',
  'capacity_exhausted',
  'session_conflict',
  'host_lost',
  'git_failed',
  'invalid_persona',
  'wait_timed_out',
  'agent_start_failed',
  'agent_crashed',
  'session_terminated',
  // A slot made for the caller that is dirty from its beginning.
  'workspace_dirty',
];

/** A pool over an unruly host, its callers, and what must hold after each of their steps. */
export class PoolRun {
  readonly clock = new FakeClock();
  readonly sessions: UnrulySessions;
  readonly pool: PoolManager;
  readonly seen = { served: 0, refused: {} as Record<string, number>, most: 0 };
  readonly #random: Random;
  readonly #max: number;
  readonly #maxOpening: number;
  readonly #calls = new Set<Call>();
  readonly #held = new Map<string, PooledSession>();
  readonly #strategy: 'warm' | 'on-demand' | 'hybrid';
  #targets: readonly WarmTarget[];
  #ids = 0;
  #isClosing = false;
  #isQuiet = false;
  #fault: Error | null = null;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    this.sessions = new UnrulySessions(random, this.clock);
    this.#max = 3 + random.below(4);
    this.#maxOpening = 1 + random.below(4);
    this.#targets = random.pick(TARGETS);
    this.#strategy = (['warm', 'on-demand', 'hybrid'] as const)[seed % 3]!;
    this.pool = createPoolManager({
      sessions: this.sessions.asManager(),
      clock: this.clock,
      max: this.#max,
      maxOpening: this.#maxOpening,
      targets: this.#targets,
      strategy: this.#strategy,
      reuse: random.isOneIn(2) ? 'recycle' : 'clear',
      acquireTimeoutMs: 120_000,
      openTimeoutMs: 30_000,
      admission: random.isOneIn(2) ? this.#admission() : undefined,
    });
    this.sessions.onTouch = (sessionId, what) => {
      if (this.#held.has(sessionId) && !this.#isClosing) this.#broken(`${what} of ${sessionId}, which is in use`);
    };
    if (!random.isOneIn(4)) void this.pool.initializeWarmPool();
  }

  /** One operation, whatever it brings about at once, and a look at everything. */
  async step(): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 52) this.sessions.settleOne();
    else if (dice < 72) this.#acquire();
    else if (dice < 85) this.#release();
    else if (dice < 90) this.clock.advance(this.#random.below(3000));
    else if (dice < 93) this.#random.pick([...this.#calls])?.abort.abort();
    else if (dice < 96) this.sessions.killOne();
    else this.#rarely();
    await this.#look();
  }

  /** The host behaves, every job ends: what waits is served, and what is to be warm is warm. */
  async becomeQuiet(): Promise<void> {
    this.sessions.isObedient = true;
    // A target that has failed too often is not tried for minutes, and with `warm` there is nothing else.
    const inTime = this.clock.now() + 150_000;
    for (const call of this.#calls) call.mustBeServed = this.#strategy !== 'warm' && call.deadline > inTime;
    await this.#serveAll();
    void this.pool.initializeWarmPool();
    // In steps shorter than any time limit: what the host answers at once must not count as late.
    for (let forMs = 0; forMs < 1_500_000; forMs += 5000) {
      this.clock.advance(5000);
      await this.#settleAll();
    }
    this.#expectWarm();
    this.#isQuiet = true;
    for (let more = 0; more < 10; more += 1) this.#acquire();
    await this.#serveAll();
  }

  /** Closes the pool; nothing may be left. */
  async close(): Promise<void> {
    // Some hold a session by then, some wait for one, some are between.
    for (let more = 0; more < 5; more += 1) this.#acquire();
    await this.#settleAll();
    ok(this.#held.size > 0);
    this.#isQuiet = false;
    this.sessions.isObedient = this.#random.isOneIn(2);
    for (let more = 0; more < 5; more += 1) this.#acquire();
    await this.#look();
    this.#isClosing = true;
    const seen = { isClosed: false };
    void this.pool.close().finally(() => {
      seen.isClosed = true;
    });
    for (let turns = 0; turns < 600 && !seen.isClosed; turns += 1) {
      await this.#settleAll();
      this.clock.advance(1000);
    }
    await this.#settleAll();
    deepEqual({ ...seen, calls: this.#calls.size }, { isClosed: true, calls: 0 });
    deepEqual({ present: this.sessions.present, listeners: this.sessions.listeners }, { present: 0, listeners: 0 });
    deepEqual(
      this.pool.getPoolStatus().rows.filter(({ target: wanted }) => wanted === 0),
      [],
    );
    equal(this.clock.pending, 0, 'timers are left');
  }

  /** Every job ends as soon as it has begun, until nobody waits any more. */
  async #serveAll(): Promise<void> {
    for (let turns = 0; turns < 600 && (this.#calls.size > 0 || this.#held.size > 0); turns += 1) {
      await this.#settleAll();
      for (const sessionId of this.#held.keys()) this.#letGo(sessionId);
      this.clock.advance(1000);
      await this.#look();
    }
    equal(this.#calls.size, 0, 'calls were never answered');
  }

  #admission(): Admission {
    return {
      admit: async () => {
        const dice = this.sessions.isObedient ? 0 : this.#random.below(100);
        if (dice < 80) return { kind: 'ok' };
        if (dice < 90) return { kind: 'wait', retryAfterMs: this.#random.below(2000) };
        if (dice < 96) return { kind: 'refuse', reason: 'No memory.' };
        throw new Error('unreadable');
      },
    };
  }

  #acquire(): void {
    const random = this.#random;
    if (this.#calls.size >= 20) return;
    const key = random.pick(KEYS);
    const sessionId = random.isOneIn(10) ? `own_${++this.#ids}` : undefined;
    const assignment = isSlot(key) ? { branch: `job-${++this.#ids}` } : undefined;
    const timeoutMs = this.#isQuiet ? 120_000 : random.pick([1000, 20_000, 120_000, 240_000]);
    const abort = new AbortController();
    const call: Call = {
      abort,
      deadline: this.clock.now() + timeoutMs,
      announced: null,
      mustBeServed: this.#isQuiet,
      request: {
        key,
        role: key,
        template: templateOf(key),
        assignment,
        sessionId,
        priority: random.below(3),
        onSession: (id) => {
          call.announced = id;
        },
      },
    };
    this.#calls.add(call);
    this.pool.acquire(call.request, { signal: abort.signal, timeoutMs }).then(
      (given) => this.#given(call, given),
      (error: unknown) => this.#refused(call, error),
    );
  }

  #given(call: Call, given: PooledSession): void {
    const { sessionId } = given.session;
    const { assignment, sessionId: own } = call.request;
    this.#calls.delete(call);
    this.seen.served += 1;
    if (this.#held.has(sessionId)) this.#broken(`${sessionId} was handed out twice`);
    if (call.announced !== sessionId) this.#broken(`${sessionId} was not announced`);
    if (own !== undefined && own !== sessionId) this.#broken(`${own} was asked for, ${sessionId} given`);
    if (assignment !== undefined && this.sessions.branchOf(sessionId) !== assignment.branch)
      this.#broken(`${sessionId} is not on ${assignment.branch}`);
    this.#held.set(sessionId, given);
  }

  #refused(call: Call, error: unknown): void {
    const { code } = SemoError.from(error);
    this.#calls.delete(call);
    this.seen.refused[code] = (this.seen.refused[code] ?? 0) + 1;
    if (call.mustBeServed && code === 'pool_timed_out')
      this.#broken(`Nobody served ${call.request.key}: ${String(error)}`);
    if (!REFUSALS.includes(code) && !(code === 'closed' && this.#isClosing)) this.#broken(String(error));
  }

  #release(): void {
    const sessionId = this.#random.pick([...this.#held.keys()]);
    if (sessionId !== undefined) this.#letGo(sessionId);
  }

  #letGo(sessionId: string): void {
    this.#held.delete(sessionId);
    const isSpent = this.#random.isOneIn(4);
    void this.pool.release(sessionId, isSpent ? { kind: 'spent', reason: 'broken' } : { kind: 'reusable' });
  }

  #rarely(): void {
    const key = this.#random.pick(KEYS);
    switch (this.#random.below(4)) {
      case 0:
        return this.pool.retire((session) => session.key === key, 'persona changed');
      case 1:
        this.#targets = this.#random.pick(TARGETS);
        return this.pool.setTargets(this.#targets);
      case 2:
        return void this.pool.cleanupIdle();
      default:
        return this.clock.advance(this.#random.below(200_000));
    }
  }

  async #settleAll(): Promise<void> {
    for (let more = true; more; more = this.sessions.pending > 0) {
      while (this.sessions.pending > 0) this.sessions.settleOne();
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    await setImmediate();
    const { present } = this.sessions;
    this.seen.most = Math.max(this.seen.most, present / this.#max);
    if (present > this.#max) this.#broken(`${present} sessions where ${this.#max} may be`);
    for (const { deadline, request } of this.#calls)
      if (deadline < this.clock.now()) this.#broken(`A call for ${request.key} outlived its time`);
    if (this.#fault !== null) throw this.#fault;
  }

  #expectWarm(): void {
    const { rows, ending, opening } = this.pool.getPoolStatus();
    const wanted = this.#strategy === 'on-demand' ? [] : this.#targets;
    const warm = Object.fromEntries(rows.filter(({ warmIdle }) => warmIdle > 0).map((row) => [row.key, row.warmIdle]));
    const expected = Object.fromEntries(wanted.map(({ key, count }) => [key, count]));
    deepEqual({ warm, ending, opening }, { warm: expected, ending: 0, opening: 0 });
  }

  #broken(what: string): void {
    this.#fault ??= new Error(what);
  }
}
