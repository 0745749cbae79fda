import { systemClock, type Cancel, type Clock } from '@semo-office/core';

import type { ProcessScan, ProcessTable } from './process-table.ts';
import { systemProcessTable } from './system-process-table.ts';

/** Is told at every look which processes are new since the last one, and which there are. */
export type ProcessWatcher = (scan: ProcessScan) => void;

/** Options of {@link ProcessWatch}. */
export interface ProcessWatchOptions {
  readonly table: ProcessTable;
  readonly clock?: Clock | undefined;
  /** Time between two looks. Default 250 ms. */
  readonly intervalMs?: number | undefined;
}

/**
 * Looks at the process list at an interval and tells everybody who watches: one look serves all sessions, and costs
 * a directory listing plus about 20 µs for each process that is new. Looks only while somebody watches.
 */
export class ProcessWatch {
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #watchers = new Set<ProcessWatcher>();
  #seen: ReadonlySet<number> = new Set();
  #next: Cancel | null = null;

  constructor({ table, clock = systemClock, intervalMs = 250 }: ProcessWatchOptions) {
    this.#table = table;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Calls `watcher` at every look from now on, until the returned function is called. */
  add(watcher: ProcessWatcher): Cancel {
    this.#watchers.add(watcher);
    if (this.#next === null) {
      this.#seen = new Set();
      this.#schedule();
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#next?.();
      this.#next = null;
    };
  }

  /** Looks now. What fails this time is looked at again the next. */
  async look(): Promise<void> {
    try {
      const scan = await this.#table.scan(this.#seen);
      this.#seen = scan.pids;
      for (const watcher of this.#watchers) watcher(scan);
    } catch {
      // A look that failed (no memory for another process, say) must not end the host; members() looks for itself.
    }
  }

  async #lookAndSchedule(): Promise<void> {
    await this.look();
    if (this.#watchers.size > 0) this.#schedule();
  }

  #schedule(): void {
    this.#next = this.#clock.schedule(this.#intervalMs, () => {
      void this.#lookAndSchedule();
    });
  }
}

/** The watch that all sessions of this process share. */
export const systemProcessWatch: ProcessWatch = new ProcessWatch({ table: systemProcessTable });
