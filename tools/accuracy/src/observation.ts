import type { TurnInfo } from '@semo-office/core';

import type { HookCall } from './hook-witness.ts';
import type { Trial } from './setting.ts';

/** Output as it came. */
export interface Chunk {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Its place in the session's output. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** An answer that the model gave to the agent itself, not to a subagent. */
export interface Answer {
  /** When its last byte had left, epoch milliseconds. */
  readonly lastByteAt: number;
}

/** What happened in a trial. */
export interface Observation {
  readonly trial: Trial;
  /** The turn as it stood in the end; `null` when it could not even begin. */
  readonly turn: TurnInfo | null;
  /** When its verdict reached a listener, epoch milliseconds; `null` when none came in time. */
  readonly heardAt: number | null;
  readonly answers: readonly Answer[];
  /** What the agent's hooks told a witness of ours. */
  readonly hooks: readonly HookCall[];
  /** What the agent printed. */
  readonly chunks: readonly Chunk[];
  /** What went wrong with the trial itself. */
  readonly fault: string | null;
}
