import { watch, type FSWatcher } from 'node:fs';
import { access, open, readFile, readdir, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { END_FILE, OUTPUT_PREFIX, SHIFT_FILE } from './output-keeper.ts';

const READ_BYTES = 64 * 1024;
/** Where the system tells late, or not at all, of a file that grew. */
const LOOK_ANYWAY_MS = 500;

/** Options of {@link KeptOutput}. */
export interface KeptOutputOptions {
  readonly folder: string;
  /** Offset to begin at. Default 0. */
  readonly from?: number | undefined;
  /** How many bytes stay on disk behind what has been read, for a next reader. */
  readonly keepBytes: number;
  readonly onData: (bytes: Uint8Array) => void;
  /** Called once, when all has been read and no more will come. */
  readonly onEnd: () => void;
  /** Called twice a second, also while nobody reads, to look whether somebody still writes. */
  readonly onLook: () => void;
}

/** Reads what a pane printed, in order, from the pieces in its folder, and follows them as they grow. */
export class KeptOutput {
  readonly #options: KeptOutputOptions;
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);
  readonly #watcher: FSWatcher | null;
  readonly #timer: NodeJS.Timeout;
  /** The next byte to read. */
  #offset: number;
  #piece: { readonly file: FileHandle; readonly start: number } | null = null;
  #state: 'idle' | 'reading' | 'reading_again' | 'closed' = 'idle';
  #paused = false;
  #isLast = false;

  constructor(options: KeptOutputOptions) {
    this.#options = options;
    this.#offset = options.from ?? 0;
    this.#watcher = watchFolder(options.folder, () => this.look());
    this.#timer = setInterval(() => {
      this.look();
      options.onLook();
    }, LOOK_ANYWAY_MS);
    this.look();
  }

  /** The offset of the next byte to be told. */
  get offset(): number {
    return this.#offset;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.look();
  }

  /** Nobody writes any more, and nobody is left to say so: once what there is has been read, the end is told. */
  giveUp(): void {
    this.#isLast = true;
    this.look();
  }

  /** Reads what there is, unless it is being read. */
  look(): void {
    if (this.#state === 'reading') this.#state = 'reading_again';
    if (this.#state !== 'idle') return;
    this.#state = 'reading';
    this.#readAll().catch(() => this.#afterFailure());
  }

  close(): void {
    if (this.#state === 'closed') return;
    const busy = this.#state !== 'idle';
    this.#state = 'closed';
    clearInterval(this.#timer);
    this.#watcher?.close();
    if (!busy) void this.#closePiece();
  }

  async #readAll(): Promise<void> {
    for (;;) {
      // Asked before the last read: what was written before the end is then read, too.
      const ended = this.#isLast || (await this.#hasEnded());
      while (!this.#isStopped() && ((await this.#readPiece()) || (await this.#nextPiece())));
      if (this.#isClosed()) return this.#closePiece();
      if (this.#paused) break;
      if (this.#state === 'reading_again') this.#state = 'reading';
      else if (ended) return this.#end();
      else break;
    }
    this.#state = 'idle';
  }

  /** Reads on in the present piece; gives whether there was anything. */
  async #readPiece(): Promise<boolean> {
    if (this.#piece === null) return false;
    const { file, start } = this.#piece;
    const { bytesRead } = await file.read(this.#buffer, 0, READ_BYTES, this.#offset - start);
    if (bytesRead === 0 || this.#isClosed()) return false;
    this.#offset += bytesRead;
    this.#options.onData(this.#buffer.subarray(0, bytesRead));
    return true;
  }

  /** Goes on to the piece that begins where the last one ended; gives whether there is one. */
  async #nextPiece(): Promise<boolean> {
    const starts = await pieceStarts(this.#options.folder);
    const holding = starts.findLast((start) => start <= this.#offset);
    const next = holding ?? starts[0];
    if (next === undefined || next === this.#piece?.start) return false;
    // A later piece exists only when this one is complete, but it may have grown since it was last read.
    if (this.#piece !== null && (await this.#readPiece())) return true;
    if (holding === undefined) await this.#tellGap(next);
    await this.#closePiece();
    this.#piece = { file: await open(join(this.#options.folder, `${OUTPUT_PREFIX}${next}`)), start: next };
    await this.#forget(starts);
    return true;
  }

  /** The keeper had to remove what nobody had read: whoever reads the output is told where. */
  async #tellGap(next: number): Promise<void> {
    const lost = next - this.#offset;
    const told = Buffer.from(`\r\n[semo: ${lost} bytes of output came too fast and were dropped]\r\n`);
    const { folder, onData } = this.#options;
    await writeFile(join(folder, SHIFT_FILE), String((await readShift(folder)) + told.length - lost));
    this.#offset = next;
    onData(told);
  }

  async #forget(starts: readonly number[]): Promise<void> {
    const { folder, keepBytes } = this.#options;
    for (const [at, start] of starts.entries()) {
      const end = starts[at + 1] ?? Number.POSITIVE_INFINITY;
      if (end <= this.#offset - keepBytes) await rm(join(folder, `${OUTPUT_PREFIX}${start}`), { force: true });
    }
  }

  async #hasEnded(): Promise<boolean> {
    return access(join(this.#options.folder, END_FILE)).then(
      () => true,
      () => false,
    );
  }

  #end(): void {
    this.#state = 'idle';
    this.close();
    this.#options.onEnd();
  }

  #afterFailure(): void {
    if (this.#state === 'closed') void this.#closePiece();
    else if (this.#isLast) this.#end();
    // Tried again at the next look.
    else this.#state = 'idle';
  }

  #isStopped(): boolean {
    return this.#paused || this.#isClosed();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  async #closePiece(): Promise<void> {
    const piece = this.#piece;
    this.#piece = null;
    await piece?.file.close().catch(() => undefined);
  }
}

/** Which bytes of a pane's output are there, and by how much the session's own count of them differs. */
export async function keptRange(folder: string): Promise<{ start: number; end: number; shift: number }> {
  const starts = await pieceStarts(folder);
  const last = starts.at(-1);
  const size = last === undefined ? 0 : (await stat(join(folder, `${OUTPUT_PREFIX}${last}`))).size;
  return { start: starts[0] ?? 0, end: (last ?? 0) + size, shift: await readShift(folder) };
}

async function readShift(folder: string): Promise<number> {
  return Number(await readFile(join(folder, SHIFT_FILE), 'utf8').catch(() => '0'));
}

/** The offsets at which there is a piece, ascending. */
async function pieceStarts(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.startsWith(OUTPUT_PREFIX))
    .map((name) => Number(name.slice(OUTPUT_PREFIX.length)))
    .sort((a, b) => a - b);
}

/** `null` where the system has no watch left to give. */
function watchFolder(folder: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, onChange);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
