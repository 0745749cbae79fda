import type { TerminalSize } from '@semo-office/core';
import xterm from '@xterm/headless';

/** Above this much output that is not yet parsed, reading should pause; below the lower mark it may go on. */
const HIGH_WATER_BYTES = 512 * 1024;
const LOW_WATER_BYTES = 64 * 1024;

/** Rows kept above the screen. Few, because a terminal of 1 000 rows takes about 3 MB and the log keeps the bytes anyway. */
const SCROLLBACK_ROWS = 0;

/** What a person would see now. */
export interface ScreenView {
  readonly lines: readonly string[];
  readonly cursor: { readonly column: number; readonly row: number };
}

/** Where the output comes from, so that a flood can be held back. */
export interface ScreenSource {
  pause(): void;
  resume(): void;
}

/** A rendered screen, kept up to date with the output. */
export class Screen {
  readonly #terminal: xterm.Terminal;
  readonly #source: ScreenSource;
  #unparsedBytes = 0;
  #paused = false;

  constructor(size: TerminalSize, source: ScreenSource) {
    this.#terminal = new xterm.Terminal({ ...size, scrollback: SCROLLBACK_ROWS, allowProposedApi: true });
    this.#source = source;
  }

  write(bytes: Uint8Array): void {
    // The parser works later; the bytes may be somebody else's by then.
    const copy = new Uint8Array(bytes);
    this.#unparsedBytes += copy.byteLength;
    this.#terminal.write(copy, () => {
      this.#parsed(copy.byteLength);
    });
    if (!this.#paused && this.#unparsedBytes > HIGH_WATER_BYTES) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  resize(size: TerminalSize): void {
    this.#terminal.resize(size.cols, size.rows);
  }

  /** The screen with everything written so far. */
  view(): Promise<ScreenView> {
    return new Promise((resolve) => {
      this.#terminal.write('', () => {
        resolve(this.#view());
      });
    });
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #parsed(byteLength: number): void {
    this.#unparsedBytes -= byteLength;
    if (this.#paused && this.#unparsedBytes <= LOW_WATER_BYTES) {
      this.#paused = false;
      this.#source.resume();
    }
  }

  #view(): ScreenView {
    const buffer = this.#terminal.buffer.active;
    const lines = Array.from({ length: this.#terminal.rows }, (_, row) => {
      return buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? '';
    });
    return { lines, cursor: { column: buffer.cursorX, row: buffer.cursorY } };
  }
}
