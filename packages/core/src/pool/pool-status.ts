/** How many sessions there are in each state, and how many callers wait for one. */
export interface PoolCounts {
  /** Being opened, or being made ready for the next job. */
  readonly opening: number;
  readonly warmIdle: number;
  readonly coldIdle: number;
  /** Handed out, or just being handed out. */
  readonly inUse: number;
  /** Being ended; each holds its room until nothing of it is left. */
  readonly ending: number;
  readonly waiting: number;
}

/** What a pool holds of one key. */
export interface PoolRow extends PoolCounts {
  readonly key: string;
  readonly role: string;
  /** How many are to be kept warm. */
  readonly target: number;
}

/** What has happened since the pool was made. */
export interface PoolTotals {
  /** Sessions handed out, by where they came from. */
  readonly handedOut: { readonly warm: number; readonly idle: number; readonly cold: number };
  readonly opened: number;
  /** Openings that failed. */
  readonly failed: number;
  /** Sessions ended because their job was over. */
  readonly recycled: number;
  /** Idle sessions closed: unused for too long, or because another key needed the room. */
  readonly reaped: number;
}

/** See `PoolManager.getPoolStatus`. */
export interface PoolStatus extends PoolCounts {
  /** Sessions at once, at most, at this moment. */
  readonly max: number;
  /** How long the longest has been waiting, in milliseconds; `null` when nobody is. */
  readonly oldestWaitMs: number | null;
  /** One a key, in order of role and key. */
  readonly rows: readonly PoolRow[];
  readonly totals: PoolTotals;
}
