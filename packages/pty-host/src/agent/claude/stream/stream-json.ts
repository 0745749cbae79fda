import { textStart } from '@semo-office/core';

/** A line longer than this is skipped; the longest that Claude Code prints hold a file it has read. */
const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024;
/** How much of a line that is no message is shown. */
const SHOWN_CHARACTERS = 200;
const NEWLINE = 0x0a;

/** What a line of the stream held. */
export type StreamJsonEvent =
  | { readonly kind: 'message'; readonly message: Readonly<Record<string, unknown>> }
  /** A line that is no JSON object; `text` is its beginning. */
  | { readonly kind: 'garbage'; readonly text: string }
  /** A line beyond the bound; it was let pass without being kept. */
  | { readonly kind: 'too_long'; readonly bytes: number };

/**
 * Reads JSON objects, one a line, from bytes that may be cut anywhere. It never throws, a bad line costs only itself, and
 * it holds at most one line.
 *
 * @example
 * ```ts
 * const parser = new StreamJsonParser();
 * parser.push(Buffer.from('{"type":"res'));   // []
 * parser.push(Buffer.from('ult"}\nnoise\n')); // [{ kind: 'message', … }, { kind: 'garbage', text: 'noise' }]
 * ```
 */
export class StreamJsonParser {
  readonly #maxLineBytes: number;
  /** The beginning of the present line; empty while one is skipped. */
  #pieces: Buffer[] = [];
  #lineBytes = 0;

  /** @param options.maxLineBytes Default 16 MiB. */
  constructor({ maxLineBytes = DEFAULT_MAX_LINE_BYTES }: { readonly maxLineBytes?: number | undefined } = {}) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** What the lines hold that end in these bytes. The bytes are only read until it returns. */
  push(bytes: Uint8Array): StreamJsonEvent[] {
    const events: StreamJsonEvent[] = [];
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 0;
    for (let end = all.indexOf(NEWLINE); end !== -1; end = all.indexOf(NEWLINE, from)) {
      const event = this.#finish(all.subarray(from, end));
      if (event !== null) events.push(event);
      from = end + 1;
    }
    this.#keep(all.subarray(from));
    return events;
  }

  /** What the last line holds, if it did not end. */
  end(): StreamJsonEvent[] {
    const event = this.#finish(Buffer.alloc(0));
    return event === null ? [] : [event];
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#lineBytes += piece.length;
    if (this.#lineBytes > this.#maxLineBytes) this.#pieces = [];
    else this.#pieces.push(Buffer.from(piece));
  }

  #finish(rest: Buffer): StreamJsonEvent | null {
    const bytes = this.#lineBytes + rest.length;
    const line = this.#pieces.length === 0 ? rest : Buffer.concat([...this.#pieces, rest]);
    this.#pieces = [];
    this.#lineBytes = 0;
    return bytes > this.#maxLineBytes ? { kind: 'too_long', bytes } : readLine(line.toString('utf8'));
  }
}

function readLine(line: string): StreamJsonEvent | null {
  if (line.trim() === '') return null;
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return { kind: 'message', message: value };
  } catch {
    // Said below: it is no message.
  }
  return { kind: 'garbage', text: textStart(line, SHOWN_CHARACTERS) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
