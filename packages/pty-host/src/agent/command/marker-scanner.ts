import { keptBytes } from '../kept-bytes.ts';

/**
 * Finds a marker in a stream of bytes, also where it is cut between two pieces. One that directly follows `notAfter`
 * (with or without a quote) is the environment being listed, not the agent speaking.
 */
export class MarkerScanner {
  readonly #marker: Buffer;
  readonly #notAfter: Buffer;
  /** A marker and what may stand before it: this much is looked at again where two pieces meet. */
  readonly #reach: number;
  /** The end of what came before, and room for the beginning of what comes. */
  readonly #seam: Buffer;
  #carried = 0;

  constructor(marker: string, notAfter: string) {
    this.#marker = keptBytes(marker);
    this.#notAfter = keptBytes(notAfter);
    this.#reach = this.#marker.length + this.#notAfter.length + 1;
    this.#seam = Buffer.alloc(2 * this.#reach);
  }

  /** Offset of the first marker that ends in this piece, or `null`. */
  find(bytes: Uint8Array, offset: number): number | null {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const known = this.#carried;
    const seam = this.#seam.subarray(0, known + piece.copy(this.#seam, known, 0, this.#reach));
    const atSeam = this.#firstSpoken(seam, Math.max(0, known - this.#marker.length + 1));
    // What begins earlier in the piece was in the seam.
    const within = atSeam === -1 ? this.#firstSpoken(piece, this.#notAfter.length + 1) : -1;
    this.#carry(piece.length < this.#reach ? seam : piece);
    if (atSeam !== -1) return offset - known + atSeam;
    return within === -1 ? null : offset + within;
  }

  /** Forgets what came before: a marker from now on belongs to what comes next. */
  reset(): void {
    this.#carried = 0;
  }

  #carry(text: Buffer): void {
    this.#carried = text.copy(this.#seam, 0, Math.max(0, text.length - this.#reach));
  }

  /** Where the first marker is that begins at `from` or later; -1 without one. */
  #firstSpoken(text: Buffer, from: number): number {
    let at = text.indexOf(this.#marker, from);
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
