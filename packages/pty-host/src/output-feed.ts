import type { Clock, SessionEvents } from '@semo-office/core';

import type { LiveOutput } from './live-output.ts';

/** What an {@link OutputFeed} is made with. */
export interface OutputFeedOptions {
  readonly sessionId: string;
  readonly output: LiveOutput;
  readonly clock: Clock;
  /** Whether anybody listens. */
  readonly isHeard: () => boolean;
  readonly tell: (event: SessionEvents['output']) => void;
  /** Told how much there was in all, after each piece. */
  readonly onTotal: (bytes: number) => void;
}

/** What an agent prints, on its way into the log and to those who listen. */
export class OutputFeed {
  readonly #options: OutputFeedOptions;
  #lastAt: number;

  constructor(options: OutputFeedOptions) {
    this.#options = options;
    this.#lastAt = options.clock.now();
  }

  /** When the last piece came, at first when this was made. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** Takes a piece in; gives the offset of its first byte. @param isOld - Another host has told of it. Default false. */
  take(bytes: Uint8Array, isOld = false): number {
    const { output, clock, isHeard, onTotal } = this.#options;
    const offset = output.log.end;
    output.append(bytes);
    this.#lastAt = clock.now();
    if (isHeard() && !isOld) this.#tell();
    else output.skipUntold();
    onTotal(output.log.end);
    return offset;
  }

  /** No more will come; what was held back, such as half a character, is told now. */
  close(): void {
    this.#options.output.close();
    if (this.#options.isHeard()) this.#tell();
  }

  #tell(): void {
    const { sessionId, output, tell } = this.#options;
    const piece = output.untold();
    if (piece !== null) tell({ sessionId, ...piece, at: this.#lastAt });
  }
}
