import { EventHub, SemoError, type Unsubscribe } from '@semo-office/core';

import type { CommandRepository } from './command-repository.ts';
import type { DeadRow } from './command-rows.ts';
import { deadCommand, type DeadCommand } from './dead-command.ts';

/** What {@link DeadLetters} needs. */
export interface DeadLettersParts {
  readonly commands: Pick<CommandRepository, 'dead' | 'newestDead'>;
  readonly onProblem: (problem: SemoError) => void;
}

interface DeadEvents {
  dead: DeadCommand;
}

const PAGE_ROWS = 100;
/** What dies earlier by so much may be seen later: by when it died each has its place, by when that is written it is seen. */
const OVERLAP_MS = 30_000;

/** Tells of commands that die, each once, from the first listener on. The table knows them all; this only tells of it. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;
  readonly #hub = new EventHub<DeadEvents>();
  /** Those told of, by when they died. */
  readonly #told = new Map<string, number>();
  #since: Promise<number> | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: DeadLettersParts) {
    this.#parts = parts;
  }

  on(listener: (command: DeadCommand) => void): Unsubscribe {
    const stop = this.#hub.on('dead', listener);
    this.look();
    return stop;
  }

  /** Somebody may have died. */
  look(): void {
    if (this.#hub.listenerCount() === 0) return;
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((thrown: unknown) => this.#parts.onProblem(SemoError.from(thrown)));
  }

  /** Resolves when what was begun to be looked for is over. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    const since = await this.#begun();
    const from = Math.max(since, ...this.#told.values()) - OVERLAP_MS;
    for (let after = { commandId: '', diedAt: new Date(from).toISOString() }; ;) {
      const page = await this.#parts.commands.dead({ limit: PAGE_ROWS, after });
      for (const row of page) this.#tell(row, since);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_ROWS) break;
      after = { commandId: last.command_id, diedAt: last.ended_at };
    }
    for (const [key, diedAt] of this.#told) if (diedAt < from) this.#told.delete(key);
  }

  /** The moment from which on they are told: of the database, as their deaths are. */
  async #begun(): Promise<number> {
    this.#since ??= this.#baseline();
    try {
      return await this.#since;
    } catch (thrown) {
      this.#since = null;
      throw thrown;
    }
  }

  async #baseline(): Promise<number> {
    const newest = await this.#parts.commands.newestDead();
    if (newest === null) return 0;
    this.#told.set(keyOf(newest), Date.parse(newest.ended_at));
    return Date.parse(newest.ended_at);
  }

  #tell(row: DeadRow, since: number): void {
    const diedAt = Date.parse(row.ended_at);
    if (diedAt < since || this.#told.has(keyOf(row))) return;
    this.#told.set(keyOf(row), diedAt);
    this.#hub.emit('dead', deadCommand(row));
  }
}

/** One that was handed out again may die again. */
function keyOf({ command_id: id, ended_at: at }: DeadRow): string {
  return `${id} ${at}`;
}
