/** How long waits between attempts are. */
export interface Backoff {
  /** The first wait, in milliseconds; each has up to as much again added by chance. Default 2 000. */
  readonly firstMs: number;
  /** The longest, in milliseconds. Default 60 000. */
  readonly longestMs: number;
}

/** The waits of an office that is told of no others. */
export const DEFAULT_BACKOFF: Backoff = { firstMs: 2000, longestMs: 60_000 };
