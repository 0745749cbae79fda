import { open } from 'node:fs/promises';

import { StreamJsonParser } from '../stream/stream-json.ts';

const PIECE_BYTES = 256 * 1024;
/** What is longer holds a tool's result or a picture: no model answers as much. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** Reads a transcript while it grows: each time the lines that have been finished since. */
export class TranscriptLines {
  readonly #path: string;
  readonly #parser = new StreamJsonParser({ maxLineBytes: MAX_LINE_BYTES });
  #offset: number;

  /** @param from Offset in bytes to begin at: the end of a line. */
  constructor(path: string, from: number) {
    this.#path = path;
    this.#offset = from;
  }

  /** How many bytes have been read so far. */
  async read(onLine: (line: unknown) => void, { atMost }: { readonly atMost: number }): Promise<number> {
    await using file = await open(this.#path, 'r');
    const piece = Buffer.alloc(PIECE_BYTES);
    let total = 0;
    while (total < atMost) {
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, atMost - total), this.#offset);
      if (bytesRead === 0) break;
      this.#offset += bytesRead;
      total += bytesRead;
      for (const event of this.#parser.push(piece.subarray(0, bytesRead)))
        if (event.kind === 'message') onLine(event.message);
    }
    return total;
  }
}
