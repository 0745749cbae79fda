import { SemoError, type Clock } from '@semo-office/core';
import { z } from 'zod';

import type { DatabaseDoor } from '../database/database-door.ts';
import { valueOf } from '../database/rows.ts';

/** A portion of what is to be forgotten. */
export interface ForgettingOrder {
  /** What was over longer ago than that; in milliseconds. */
  readonly olderThanMs: number;
  /** At most so many rows of each kind. */
  readonly limit: number;
  /** Nothing is done where somebody else has asked less than that long ago; in milliseconds. */
  readonly pauseMs: number;
}

/** Forgets a portion, and gives how much that was. */
export type Forget = (order: ForgettingOrder) => Promise<number>;

/** What {@link Forgetting} needs. */
export interface ForgettingParts {
  readonly clock: Clock;
  readonly forget: Forget;
  /** For how long what is over is kept. */
  readonly keepMs: number;
  readonly onProblem: (problem: SemoError) => void;
}

const EVERY_MS = 3_600_000;
/** Who comes a little sooner than it was to be is not sent away for it. */
const PAUSE_MS = 0.9 * EVERY_MS;
const PORTION_ROWS = 1000;

/** Forgets what was over long ago, once an hour. Of several processes of an office each asks, and one does it. */
export class Forgetting {
  readonly #parts: ForgettingParts;
  #dueAt = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** It may be time. Nobody waits for it: there may be much. */
  look(): void {
    const now = this.#parts.clock.now();
    if (this.#isOver || now < this.#dueAt) return;
    this.#dueAt = now + EVERY_MS;
    this.#underWay = this.#underWay
      .then(() => this.#forgetAll())
      .catch((thrown: unknown) => {
        if (!this.#isOver) this.#parts.onProblem(SemoError.from(thrown));
      });
  }

  /** Asks for no more; resolves when what was asked for is over. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#underWay;
  }

  async #forgetAll(): Promise<void> {
    const { forget, keepMs: olderThanMs } = this.#parts;
    for (let pauseMs = PAUSE_MS; !this.#isOver; pauseMs = 0) {
      const forgotten = await forget({ olderThanMs, limit: PORTION_ROWS, pauseMs });
      if (forgotten < PORTION_ROWS) return;
    }
  }
}

/** Forgets by the database's own function. */
export function forgetIn(door: DatabaseDoor, officeId: string): Forget {
  return async ({ olderThanMs, limit, pauseMs }) => {
    const forgotten = await door.call('semo_prune', {
      p_office_id: officeId,
      p_older_than_ms: olderThanMs,
      p_limit: limit,
      p_pause_ms: pauseMs,
    });
    return valueOf(z.number(), forgotten, 'number of what was forgotten');
  };
}
