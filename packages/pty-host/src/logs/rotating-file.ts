import { renameSync } from 'node:fs';
import sonicBoom, { type SonicBoom } from 'sonic-boom';

/** Lines that wait for a slow disk; beyond that they are dropped. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Options of {@link RotatingFile}. */
export interface RotatingFileOptions {
  /** Ends in `.log`. */
  readonly path: string;
  readonly maxBytes: number;
  /** Told when something could not be written. */
  readonly onFault: (thrown: unknown) => void;
}

interface Opened {
  readonly sink: SonicBoom;
  /** Resolves when it is closed, or will never be. */
  readonly closed: Promise<void>;
  isBroken: boolean;
}

/**
 * A file that is written to without waiting, readable by its owner alone. When it is full it becomes `….1.log`, in the place
 * of the one before, and a new one is begun. Once it cannot be written, what comes after is dropped.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  readonly #full: Promise<void>[] = [];
  #file: Opened;
  #bytes = 0;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
    this.#file = this.#open();
  }

  /** Writes a line. Never throws. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes > 0 && this.#bytes + bytes > this.#options.maxBytes) this.#rotate();
    this.#bytes += bytes;
    if (!this.#file.isBroken) this.#file.sink.write(line);
  }

  /** Resolves when everything is written and the file is closed. */
  async end(): Promise<void> {
    this.#close();
    await Promise.all(this.#full);
  }

  #rotate(): void {
    if (this.#file.isBroken) return;
    const { path, onFault } = this.#options;
    // What still waits in it follows it: a renamed file stays open.
    this.#close();
    try {
      renameSync(path, path.replace(/\.log$/, '.1.log'));
    } catch (thrown) {
      onFault(thrown);
    }
    this.#bytes = 0;
    this.#file = this.#open();
  }

  #open(): Opened {
    const { path, onFault } = this.#options;
    // Not through pino, which would flush it as the process exits and throws there if it is just being opened.
    const sink = new sonicBoom.SonicBoom({ dest: path, mode: 0o600, sync: false, maxLength: MOST_WAITING_BYTES });
    const closed = Promise.withResolvers<void>();
    const opened: Opened = { sink, closed: closed.promise, isBroken: false };
    sink.once('close', closed.resolve);
    sink.on('error', (thrown) => {
      // One that could not be opened, or whose disk is full, tells no end.
      closed.resolve();
      if (!opened.isBroken) onFault(thrown);
      opened.isBroken = true;
    });
    return opened;
  }

  #close(): void {
    const { sink, closed, isBroken } = this.#file;
    this.#full.push(closed);
    if (!isBroken) sink.end();
  }
}
