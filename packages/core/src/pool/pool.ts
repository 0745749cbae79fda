import type { Clock } from '../clock.ts';
import type { SemoError } from '../errors.ts';
import type { SessionManager, Unsubscribe } from '../session/session-manager.ts';
import type { SessionInfo, SessionSpec } from '../session/session.ts';
import type { Assignment } from '../session/workspace.ts';
import type { Admission } from './admission.ts';
import type { PoolStatus } from './pool-status.ts';

/** What a session is made from, without its id: the pool makes one for each. */
export type SessionTemplate = Omit<SessionSpec, 'sessionId'>;

/** What a caller of `acquire` needs. */
export interface PoolRequest {
  /** Which sessions will do; see `poolKey`. */
  readonly key: string;
  readonly role: string;
  /** What a cold session is made from. */
  readonly template: SessionTemplate;
  /**
   * A session in a repository is switched to it before it is handed out. Not done for a cold one whose template names
   * its branch itself. Without it only a session in the very workspace of `template` will do.
   */
  readonly assignment?: Assignment | undefined;
  /** The caller's own id: then it is always a cold session of that id, and it is never reused. */
  readonly sessionId?: string | undefined;
  /** Higher first among those who wait, first come first served within. Default 0. */
  readonly priority?: number | undefined;
  /**
   * Told the id as soon as it is known: before a cold session is created, before a warm one is switched. Told again
   * when that one failed and another is tried. What it promises is waited for: nothing is created or switched before.
   */
  readonly onSession?: ((sessionId: string) => unknown) | undefined;
}

/** Options of `PoolManager.acquire`. */
export interface AcquireOptions {
  /** Gives up waiting; what was on its way goes to the next who waits. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds. Default: `acquireTimeoutMs` of the pool. */
  readonly timeoutMs?: number | undefined;
}

/** Where a session came from: a warm target's, a cold one that an earlier job has left, or made for this caller. */
export type SessionSource = 'warm' | 'idle' | 'cold';

/** A session that is one caller's alone until it is released. */
export interface PooledSession {
  readonly session: SessionInfo;
  readonly source: SessionSource;
  readonly waitedMs: number;
}

/**
 * What a caller leaves behind: a session that is in order, one that nobody should be given, or one that is another office's
 * by now (`abandoned`), which lives on and takes no room here.
 */
export type SessionUse =
  | { readonly kind: 'reusable' }
  | { readonly kind: 'spent'; readonly reason: string }
  | { readonly kind: 'abandoned' };

/** A living session that another office process had. */
export interface AdoptedSession extends Pick<PoolRequest, 'key' | 'role' | 'template'> {
  readonly session: SessionInfo;
}

/** Sessions to be kept open ahead of need. */
export interface WarmTarget {
  readonly role: string;
  readonly count: number;
  /** `poolKey(template)`. */
  readonly key: string;
  readonly template: SessionTemplate;
}

/** What is known of a session of the pool; see `PoolManager.retire`. */
export interface PooledSessionInfo {
  readonly sessionId: string;
  readonly key: string;
  readonly role: string;
  readonly origin: 'warm' | 'cold';
  readonly state: 'opening' | 'idle' | 'in_use' | 'ending';
  readonly template: SessionTemplate;
  /** Why it is out of service; `null` while it is not. */
  readonly retired: string | null;
}

/** Something the pool met and deals with by itself; nobody's call failed by it, or another way was found. */
export interface PoolFault {
  /**
   * - `open_failed`: a session could not be opened.
   * - `session_lost`: one died while nobody used it, was unfit when it was to be handed out, or could not be cleared.
   * - `end_failed`: a session could not be ended; it holds its room and is tried again.
   * - `admission_failed`: the admission port threw; it is asked again.
   * - `listener_failed`: a caller's `onSession` or `sizing` threw.
   */
  readonly kind: 'open_failed' | 'session_lost' | 'end_failed' | 'admission_failed' | 'listener_failed';
  readonly key: string | null;
  readonly role: string | null;
  readonly sessionId: string | null;
  readonly error: SemoError;
  /** When the pool tries again, in milliseconds from now; `null`: it does not, or at once. */
  readonly retryInMs: number | null;
  readonly at: number;
}

/** What a pool tells. */
export interface PoolEvents {
  /** Something moved. */
  change: PoolStatus;
  fault: PoolFault;
}

/** What `PoolOptions.sizing` wants; what is left out stays as it is configured. */
export interface PoolSize {
  readonly targets?: readonly WarmTarget[] | undefined;
  /** Never more than `PoolOptions.max`. */
  readonly max?: number | undefined;
}

/** - `warm`: keys with a target are served by its sessions alone. - `hybrid`: a warm one if there is, else a cold one. */
export type PoolStrategy = 'warm' | 'on-demand' | 'hybrid';

/** Options of `createPoolManager`. */
export interface PoolOptions {
  readonly sessions: SessionManager;
  /** Every session is created with this `owner`. Default: none. */
  readonly owner?: string | undefined;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
  /** Sessions at once: being opened, alive and being ended together. Default 6. */
  readonly max?: number | undefined;
  /**
   * Of these, how many are being opened at the same time, so that a crowd does not start so slowly that every start
   * times out. Default 8.
   */
  readonly maxOpening?: number | undefined;
  /** Default none. */
  readonly targets?: readonly WarmTarget[] | undefined;
  /** Default `hybrid`. */
  readonly strategy?: PoolStrategy | undefined;
  /**
   * What becomes of a reusable session: ended, so that every job has a fresh one, or cleared of its conversation and
   * kept. Default `recycle`.
   */
  readonly reuse?: 'recycle' | 'clear' | undefined;
  /** When an idle cold session is closed. Default 600 000. */
  readonly idleCloseMs?: number | undefined;
  /** How long `acquire` waits. Default 600 000. */
  readonly acquireTimeoutMs?: number | undefined;
  /** How often a session is tried to be opened for one caller, while the error is retryable. Default 3. */
  readonly createAttempts?: number | undefined;
  /** How long one opening may take; beyond that it is given up. Default 120 000. */
  readonly openTimeoutMs?: number | undefined;
  /** Default: no limit but `max`. */
  readonly admission?: Admission | undefined;
  /** Changes targets and `max` as the pool goes; asked after every change and once a minute. A pure function. */
  readonly sizing?: ((status: PoolStatus, now: number) => PoolSize) | undefined;
}

/**
 * Sessions ready for jobs: some opened ahead, the others on demand, never more than `max`.
 *
 * @example
 * ```ts
 * const pool = createPoolManager({ sessions, targets: [{ role: 'FE', count: 1, key: poolKey(template), template }] });
 * await pool.initializeWarmPool();
 * const { session } = await pool.acquire({ key: poolKey(template), role: 'FE', template });
 * try { await sessions.sendPrompt(session.sessionId, 'Fix the form.'); }
 * finally { await pool.release(session.sessionId, { kind: 'reusable' }); }
 * ```
 */
export interface PoolManager {
  /** Opens the warm targets; resolves when each has been tried. What fails is told as `fault`, never thrown. */
  initializeWarmPool(): Promise<void>;
  /**
   * A session for one caller alone, until it is released.
   * @throws SemoError `pool_timed_out`, `aborted`, `closed`, `capacity_exhausted` (admission refused),
   * `session_conflict` (the caller's own id is in the pool already), or what opening the session failed with.
   */
  acquire(request: PoolRequest, call?: AcquireOptions): Promise<PooledSession>;
  /**
   * Gives a session back; resolves as soon as it is out of the job's hands. Ending and refilling go on behind. Once
   * only: the id may be another job's by then. A session that is nobody's stays as it is.
   */
  release(sessionId: string, use: SessionUse): Promise<void>;
  /** Resolves when nothing is left of a session that was released; at once for one that the pool keeps, or never had. */
  gone(sessionId: string): Promise<void>;
  /** Takes in a session that another office process had, as one in use. By that there may be more than `max` for a while. */
  adopt(adopted: AdoptedSession): void;
  /** Closes idle cold sessions whose time is up, now, and tells how many. It also happens by itself. */
  cleanupIdle(): Promise<number>;
  /** Takes sessions out of service: idle ones are ended now, those in use when they are released. */
  retire(matches: (session: PooledSessionInfo) => boolean, reason: string): void;
  /** What is to be kept warm from now on; sessions that no target wants any more are ended. */
  setTargets(targets: readonly WarmTarget[]): void;
  getPoolStatus(): PoolStatus;
  on<Name extends keyof PoolEvents>(event: Name, listener: (event: PoolEvents[Name]) => void): Unsubscribe;
  /** Resolves when nothing is being opened, made ready, handed out or ended. Does not wait for what is tried later. */
  settled(): Promise<void>;
  /** Refuses who waits (`closed`) and ends every session of the pool, also those in use. */
  close(): Promise<void>;
}
