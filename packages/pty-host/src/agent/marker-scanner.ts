import { keptBytes } from './kept-bytes.ts';

/**
 * Finds a marker in a stream of bytes, also where it is cut between two pieces. One that directly follows `notAfter`
 * (with or without a quote) is the environment being listed, not the agent speaking.
 */
export class MarkerScanner {
  readonly #marker: Buffer;
  readonly #notAfter: Buffer;
  /** The end of what came before: enough for a marker that is cut, and for what stands before it. */
  readonly #carry: Buffer;
  #carried = 0;

  constructor(marker: string, notAfter: string) {
    this.#marker = keptBytes(marker);
    this.#notAfter = keptBytes(notAfter);
    this.#carry = Buffer.alloc(this.#marker.length + this.#notAfter.length + 1);
  }

  /** Offset of the first marker that ends in this piece, or `null`. */
  find(bytes: Uint8Array, offset: number): number | null {
    const known = this.#carried;
    const text =
      known === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : Buffer.concat([this.#carry.subarray(0, known), bytes]);
    const found = this.#firstSpoken(text, known);
    this.#carried = text.copy(this.#carry, 0, Math.max(0, text.length - this.#carry.length));
    return found === -1 ? null : offset - known + found;
  }

  /** Forgets what came before: a marker from now on belongs to what comes next. */
  reset(): void {
    this.#carried = 0;
  }

  /** Where the first marker begins that ends after the `known` first bytes; -1 without one. */
  #firstSpoken(text: Buffer, known: number): number {
    let at = text.indexOf(this.#marker, Math.max(0, known - this.#marker.length + 1));
    while (at !== -1 && this.#isListed(text, at)) at = text.indexOf(this.#marker, at + 1);
    return at;
  }

  #isListed(text: Buffer, at: number): boolean {
    const quote = text[at - 1];
    const end = quote === 0x22 || quote === 0x27 ? at - 1 : at;
    const start = end - this.#notAfter.length;
    return start >= 0 && text.subarray(start, end).equals(this.#notAfter);
  }
}
