import type { CommandBody, CommandResult } from './command.ts';

const READS: ReadonlySet<CommandBody['kind']> = new Set([
  'get_output',
  'get_session',
  'list_sessions',
  'get_turn',
  'list_requests',
]);

/** Whether a command only looks: carrying it out again changes nothing, so its answer need not be kept. */
export function isRead({ kind }: Pick<CommandBody, 'kind'>): boolean {
  return READS.has(kind);
}

/** What became of the commands that arrived lately, so that one that arrives again is not carried out again. */
export class CommandMemory {
  readonly #running = new Map<string, Promise<CommandResult>>();
  // A Map keeps the order of insertion, so its first key is the oldest.
  readonly #finished = new Map<string, CommandResult>();
  readonly #maxFinished: number;

  constructor(maxFinished: number) {
    this.#maxFinished = maxFinished;
  }

  /** The outcome of that command: the one it has or will have, or, the first time, that of `run`. */
  once(
    commandId: string,
    { keep, run }: { readonly keep: boolean; readonly run: () => Promise<CommandResult> },
  ): Promise<CommandResult> {
    const running = this.#running.get(commandId);
    if (running !== undefined) return running;
    const finished = this.#finished.get(commandId);
    if (finished !== undefined) return Promise.resolve(finished);
    const outcome = run().then((result) => {
      this.#running.delete(commandId);
      if (keep) this.#remember(commandId, result);
      return result;
    });
    this.#running.set(commandId, outcome);
    return outcome;
  }

  /** How many commands are known. */
  get size(): number {
    return this.#running.size + this.#finished.size;
  }

  #remember(commandId: string, result: CommandResult): void {
    this.#finished.set(commandId, result);
    for (const oldest of this.#finished.keys()) {
      if (this.#finished.size <= this.#maxFinished) return;
      this.#finished.delete(oldest);
    }
  }
}
