/** What an {@link OutputReplay} is made with; all places are offsets in the session's output. */
export interface OutputReplayOptions {
  /** The oldest byte that is still kept. */
  readonly start: number;
  /** Where the turn that runs began; `null`: none does. */
  readonly turnAt: number | null;
  /** The end of what was kept as the session was taken up. */
  readonly end: number;
  readonly hear: (bytes: Uint8Array, isOld: boolean) => void;
  /** Called when all before the turn has been heard, and nothing of it. */
  readonly onTurn: () => void;
}

/**
 * What an agent has printed under another host, heard once more: the log is as it was, and whoever follows the output knows
 * what it comes to, also what was printed while there was no host.
 */
export class OutputReplay {
  readonly #options: OutputReplayOptions;
  readonly #caughtUp = Promise.withResolvers<void>();
  #at: number;
  #isInTurn: boolean;

  constructor(options: OutputReplayOptions) {
    this.#options = options;
    this.#at = options.start;
    this.#isInTurn = options.turnAt === null;
  }

  /** Resolves when what was kept has been heard. */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise;
  }

  get #isOver(): boolean {
    return this.#at >= this.#options.end;
  }

  /** Before the first piece. */
  begin(): void {
    this.#look();
  }

  take(bytes: Uint8Array): void {
    const { hear, turnAt } = this.#options;
    const before = this.#isInTurn ? 0 : Math.min(bytes.length, (turnAt ?? 0) - this.#at);
    if (before > 0) this.#hear(bytes.subarray(0, before), hear);
    if (before < bytes.length) this.#hear(bytes.subarray(before), hear);
  }

  /** No more will come. */
  close(): void {
    this.#enterTurn();
    this.#caughtUp.resolve();
  }

  #hear(bytes: Uint8Array, hear: OutputReplayOptions['hear']): void {
    const isOld = !this.#isOver;
    this.#at += bytes.length;
    hear(bytes, isOld);
    this.#look();
  }

  #look(): void {
    if (this.#at >= (this.#options.turnAt ?? 0)) this.#enterTurn();
    if (this.#isOver) this.#caughtUp.resolve();
  }

  #enterTurn(): void {
    if (this.#isInTurn) return;
    this.#isInTurn = true;
    this.#options.onTurn();
  }
}
