import type { PoolStrategy } from './pool.ts';

/** Where a session of the pool stands. `waiterId`: for whom; `null` once that one has left. */
export type PooledState =
  | { readonly kind: 'opening'; readonly waiterId: number | null }
  /** Being cleared for the next job. */
  | { readonly kind: 'readying' }
  | { readonly kind: 'idle'; readonly since: number }
  /** Being checked and switched for somebody. */
  | { readonly kind: 'offered'; readonly waiterId: number }
  | { readonly kind: 'in_use' }
  | { readonly kind: 'ending' };

/** One session, as far as planning goes. */
export interface SessionView {
  readonly sessionId: string;
  readonly key: string;
  readonly origin: 'warm' | 'cold';
  /** The workspace it is in. */
  readonly place: string;
  readonly state: PooledState;
  /** Out of service: not handed out any more. */
  readonly retired: boolean;
  /** Made ready for somebody who has left: under `recycle` it is not kept. */
  readonly leftover: boolean;
  /** From when on it must not be handed out, because its credential runs out. */
  readonly unfitAt: number | null;
}

/** One who waits and is not being served. */
export interface WaiterView {
  readonly waiterId: number;
  readonly key: string;
  readonly priority: number;
  /** The workspace it must be; `null`: any, it is switched. */
  readonly place: string | null;
  /** Only a session made for it will do. */
  readonly coldOnly: boolean;
  /** Nothing is opened for it before this. */
  readonly notBefore: number;
}

/** What is to be kept warm, and from when on it may be tried again. */
export interface TargetView {
  readonly key: string;
  readonly count: number;
  /** The workspace its sessions are in until they are switched. */
  readonly place: string;
  readonly retryAt: number;
}

/** Everything that `planPool` decides by. */
export interface PoolView {
  readonly now: number;
  readonly max: number;
  /** How many may be being opened at once. */
  readonly maxOpening: number;
  readonly strategy: PoolStrategy;
  readonly reuse: 'recycle' | 'clear';
  readonly idleCloseMs: number;
  /** Whether targets are refilled; before the pool is initialized they are not. */
  readonly keepsWarm: boolean;
  readonly targets: readonly TargetView[];
  readonly sessions: readonly SessionView[];
  readonly waiters: readonly WaiterView[];
}

/** Why a session is closed. */
export type CloseReason = 'retired' | 'credential' | 'surplus' | 'abandoned' | 'idle' | 'room';

/** One thing to do. */
export type PoolStep =
  | { readonly kind: 'hand_out'; readonly sessionId: string; readonly waiterId: number }
  | { readonly kind: 'open_cold'; readonly waiterId: number }
  | { readonly kind: 'open_warm'; readonly key: string }
  | { readonly kind: 'close'; readonly sessionId: string; readonly reason: CloseReason };

/** What is to be done now, and when to plan again if nothing happens before. */
export interface PoolPlan {
  readonly steps: readonly PoolStep[];
  readonly wakeAt: number | null;
}
