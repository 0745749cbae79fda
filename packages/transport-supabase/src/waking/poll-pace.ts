/** How often to look, where nobody calls. All in milliseconds. */
export interface PollPace {
  /** The first look after something was there, while Realtime is away. */
  readonly fastMs: number;
  /** The longest wait between looks while Realtime is away: it doubles from `fastMs` on with each look that finds nothing. */
  readonly slowMs: number;
  /** The wait between looks while Realtime is there: for the broadcast that was lost. */
  readonly liveMs: number;
}

/** How long to wait before looking again. Pure. */
export function pollWaitMs(
  pace: PollPace,
  { live, idleLooks }: { readonly live: boolean; readonly idleLooks: number },
): number {
  if (live) return pace.liveMs;
  return Math.min(pace.fastMs * 2 ** Math.min(idleLooks, 30), pace.slowMs);
}

/** The wait before the next attempt, after so many that failed: doubling, with up to as much again by chance. Pure. */
export function backoffMs(
  { firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number },
  { failures, chance }: { readonly failures: number; readonly chance: number },
): number {
  const base = Math.min(firstMs * 2 ** Math.min(failures, 30), longestMs);
  return Math.round(base + base * chance);
}

/**
 * How soon what failed is tried again: within a second once the way is there again, however long it was not; with hosts apart by
 * chance.
 */
export const RETRY_PACE = { firstMs: 100, longestMs: 400 } as const;
