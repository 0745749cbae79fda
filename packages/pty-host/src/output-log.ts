import { SemoError } from '@semo-office/core';

const BLOCK_BYTES = 16 * 1024;
const FIRST_BLOCK_BYTES = 1024;
const DEFAULT_MAX_BYTES = 1024 * 1024;

/** Options of {@link OutputLog}. */
export interface OutputLogOptions {
  /** How many of the newest bytes are kept. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
  /** Offset of the first byte that will be appended: what came before is no longer kept. Default 0. */
  readonly from?: number | undefined;
}

/** A piece of the log and where it lies; offsets count from the first byte ever appended. */
export interface OutputLogSlice {
  /** Offset of the first byte in `bytes`. */
  readonly from: number;
  /** Offset to ask for next. */
  readonly next: number;
  /** Offset of the oldest byte still kept. */
  readonly start: number;
  /** Offset just past the newest byte. */
  readonly end: number;
  /** A copy, the caller's own. */
  readonly bytes: Uint8Array;
}

/**
 * The newest bytes of a session's output, addressed by their offset since its beginning.
 *
 * It is a ring of fixed blocks that are made when first written to and then reused: an idle session costs a kilobyte,
 * a busy one `maxBytes` and one block, and appending is a copy. A reader that never reads costs nothing.
 *
 * @example
 * ```ts
 * const log = new OutputLog({ maxBytes: 1024 * 1024 });
 * log.append(chunk);
 * const { bytes, next } = log.read({ maxBytes: 65_536 });
 * ```
 */
export class OutputLog {
  readonly #maxBytes: number;
  readonly #blockBytes: number;
  readonly #slots: number;
  readonly #blocks: Uint8Array[] = [];
  readonly #from: number;
  #end: number;
  #closed = false;

  constructor({ maxBytes = DEFAULT_MAX_BYTES, from = 0 }: OutputLogOptions = {}) {
    this.#from = from;
    this.#end = from;
    this.#maxBytes = maxBytes;
    this.#blockBytes = Math.min(BLOCK_BYTES, maxBytes);
    // One block more than the bytes need: the oldest and the newest byte share none.
    this.#slots = Math.ceil(maxBytes / this.#blockBytes) + 1;
  }

  /** Offset of the oldest byte still kept. */
  get start(): number {
    return Math.max(this.#from, this.#end - this.#maxBytes);
  }

  /** Offset just past the newest byte. */
  get end(): number {
    return this.#end;
  }

  /** Copies the bytes: what the caller handed in may be reused at once. */
  append(bytes: Uint8Array): void {
    // Of a chunk larger than the log only the tail would survive anyway.
    let taken = Math.max(0, bytes.length - this.#maxBytes);
    this.#end += taken;
    while (taken < bytes.length) {
      const at = this.#end % this.#blockBytes;
      const length = Math.min(bytes.length - taken, this.#blockBytes - at);
      this.#writable(at + length).set(
        taken === 0 && length === bytes.length ? bytes : bytes.subarray(taken, taken + length),
        at,
      );
      taken += length;
      this.#end += length;
    }
  }

  /** No more bytes will come: an incomplete character at the end is from now on handed out as it is. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Reads from `from` (default: the oldest byte kept that begins a character) at most `maxBytes` (default: all).
   *
   * A UTF-8 character is never cut: a slice ends before one that does not fit, and before one of which only the first
   * bytes have arrived, until {@link OutputLog.close}. Bytes that are no UTF-8 are cut anywhere, a `from` inside a
   * character is taken as asked for, and so is a `maxBytes` smaller than the one character it meets.
   *
   * @throws SemoError `output_dropped` when `from` is no longer kept, `output_beyond_end` when it has not come yet;
   * both with `details: { requested, start, end }`.
   */
  read({
    from,
    maxBytes = Number.POSITIVE_INFINITY,
  }: { readonly from?: number | undefined; readonly maxBytes?: number | undefined } = {}): OutputLogSlice {
    const { start, end } = this;
    if (from !== undefined) this.#checkOffset(from);
    const first = from ?? this.#firstCharacter();
    const next = this.#lastBoundary(first, Math.min(end, first + maxBytes));
    return { from: first, next, start, end, bytes: this.#copy(first, next) };
  }

  #checkOffset(requested: number): void {
    const { start, end } = this;
    const details = { requested, start, end };
    if (requested < start) {
      const dropped = start - requested;
      throw new SemoError(
        'output_dropped',
        `${dropped} bytes of output from offset ${requested} on were dropped; the oldest byte still kept is at ${start}. Read from there, or keep more with maxOutputBytes.`,
        { details: { ...details, dropped } },
      );
    }
    if (requested > end) {
      throw new SemoError(
        'output_beyond_end',
        `Offset ${requested} is beyond the end of the output, which is at ${end}. Read from ${end} or before.`,
        { details },
      );
    }
  }

  /** The block that `#end` falls into, with room for its first `bytes` bytes. */
  #writable(bytes: number): Uint8Array {
    const slot = Math.floor(this.#end / this.#blockBytes) % this.#slots;
    const block = this.#blocks[slot];
    if (block !== undefined && block.length >= bytes) return block;
    // Only the first block begins small: a session that says more than a few lines will say much more.
    const small = slot === 0 ? Math.max(FIRST_BLOCK_BYTES, 2 ** Math.ceil(Math.log2(bytes))) : this.#blockBytes;
    const grown = new Uint8Array(Math.min(this.#blockBytes, small));
    if (block !== undefined) grown.set(block);
    this.#blocks[slot] = grown;
    return grown;
  }

  #byteAt(offset: number): number {
    return this.#blocks[Math.floor(offset / this.#blockBytes) % this.#slots]?.[offset % this.#blockBytes] ?? 0;
  }

  #copy(from: number, to: number): Uint8Array {
    const bytes = new Uint8Array(to - from);
    for (let offset = from; offset < to;) {
      const at = offset % this.#blockBytes;
      const length = Math.min(to - offset, this.#blockBytes - at);
      const block = this.#blocks[Math.floor(offset / this.#blockBytes) % this.#slots];
      if (block !== undefined) bytes.set(block.subarray(at, at + length), offset - from);
      offset += length;
    }
    return bytes;
  }

  /** The oldest byte kept may be the middle of a character whose beginning was dropped. */
  #firstCharacter(): number {
    const { start, end } = this;
    if (start === 0) return 0;
    let offset = start;
    while (offset < end && offset - start < 4 && isContinuation(this.#byteAt(offset))) offset += 1;
    return offset - start < 4 ? offset : start;
  }

  #lastBoundary(from: number, limit: number): number {
    let lead = limit - 1;
    while (lead > from && limit - lead < 4 && isContinuation(this.#byteAt(lead))) lead -= 1;
    if (lead < from) return limit;
    const length = characterLength(this.#byteAt(lead));
    if (lead + length <= limit) return limit;
    const known = Math.min(lead + length, this.#end);
    for (let offset = lead + 1; offset < known; offset += 1) {
      if (!isContinuation(this.#byteAt(offset))) return limit;
    }
    const incomplete = lead + length > this.#end;
    if (incomplete) return this.#closed ? limit : lead;
    return lead > from ? lead : limit;
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** How many bytes the character has that this byte begins; 1 for a byte that begins none. */
function characterLength(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 1;
}
