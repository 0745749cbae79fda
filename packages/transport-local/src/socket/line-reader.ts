import { SemoError } from '@semo-office/core';

/** The longest frame, in bytes. A slice of output of the largest size fits, in base64. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines of UTF-8, and never keeps more than one frame's worth. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #pieces: Buffer[] = [];
  #heldBytes = 0;

  constructor(maxBytes: number = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that are complete with this chunk. @throws SemoError `invalid_message`: too long, or not UTF-8. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let begin = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, begin)) {
      this.#hold(chunk.subarray(begin, end));
      lines.push(this.#take());
      begin = end + 1;
    }
    this.#hold(chunk.subarray(begin));
    return lines;
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#heldBytes += piece.length;
    if (this.#heldBytes > this.#maxBytes) {
      throw new SemoError('invalid_message', `A frame has more than ${this.#maxBytes} bytes.`);
    }
    this.#pieces.push(piece);
  }

  #take(): string {
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#heldBytes = 0;
    try {
      return this.#decoder.decode(line);
    } catch (thrown) {
      throw new SemoError('invalid_message', 'A frame is not UTF-8.', { cause: thrown });
    }
  }
}
