import type { OutputRange, OutputSlice, TerminalSize } from '@semo-office/core';
import { assertNever, outputRangeSchema, parseEdge } from '@semo-office/core';

import { OutputLog } from './output-log.ts';
import { Screen, type ScreenSource } from './terminal/screen.ts';
import { terminalText } from './terminal-text.ts';

/** How much of the output error messages look back on. */
const LAST_WORDS_BYTES = 4096;

/** What {@link LiveOutput} is made with. */
export interface LiveOutputOptions {
  readonly maxBytes: number;
  readonly size: TerminalSize;
  /** Render from the start rather than from the first question. */
  readonly withScreen: boolean;
  readonly source: ScreenSource;
  /** See `OutputLogOptions.from`. */
  readonly from?: number | undefined;
}

/** A session's output: the log, the screen where somebody looks at it, and whole characters for those who listen. */
export class LiveOutput {
  readonly log: OutputLog;
  /** Where it comes from; several may hold it back. */
  readonly source: ScreenSource;
  #size: TerminalSize;
  #screen: Screen | null = null;
  #toldUpTo = 0;

  constructor({ maxBytes, size, withScreen, source, from }: LiveOutputOptions) {
    this.log = new OutputLog({ maxBytes, from });
    this.#size = size;
    this.source = source;
    if (withScreen) this.#screen = new Screen(size, source);
  }

  append(bytes: Uint8Array): void {
    this.log.append(bytes);
    this.#screen?.write(bytes);
  }

  /** Output that nobody was told of yet, cut between characters. */
  untold(): { offset: number; bytes: Uint8Array } | null {
    const from = Math.max(this.#toldUpTo, this.log.start);
    const { next, bytes } = this.log.read({ from });
    this.#toldUpTo = next;
    return next === from ? null : { offset: from, bytes };
  }

  /** Nobody listens: what is there now will not be told later. */
  skipUntold(): void {
    this.#toldUpTo = this.log.end;
  }

  async read(range: OutputRange = {}): Promise<OutputSlice> {
    const { as, from, maxBytes } = parseEdge(outputRangeSchema, range, { what: 'output range' });
    switch (as) {
      case 'raw':
        return { as, ...this.log.read({ from, maxBytes }) };
      case 'text': {
        const { bytes, ...bounds } = this.log.read({ from, maxBytes });
        return { as, ...bounds, text: terminalText(bytes) };
      }
      case 'screen': {
        const { start, end } = this.log;
        return { as, from: start, next: end, start, end, ...(await this.#liveScreen().view()) };
      }
      default:
        return assertNever(as);
    }
  }

  /** The rows of the screen. */
  async screenRows(): Promise<readonly string[]> {
    return (await this.#liveScreen().view()).lines;
  }

  /** What was printed since an offset, as text; what is no longer kept is left out. */
  textSince(offset: number): string {
    return terminalText(this.log.read({ from: Math.max(offset, this.log.start) }).bytes);
  }

  /** The end of the output as text, for error messages. */
  lastWords(): string {
    return this.textSince(this.log.end - LAST_WORDS_BYTES)
      .trim()
      .split('\n')
      .slice(-12)
      .join('\n');
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#screen?.resize(size);
  }

  /** No more output will come. All that was kept stays readable. */
  close(): void {
    this.log.close();
  }

  /** The first question makes the screen from all that is still kept; from then on it follows the output. */
  #liveScreen(): Screen {
    if (this.#screen === null) {
      this.#screen = new Screen(this.#size, this.source);
      this.#screen.write(this.log.read({ from: this.log.start }).bytes);
    }
    return this.#screen;
  }
}
