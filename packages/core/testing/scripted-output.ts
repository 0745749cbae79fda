import { SemoError } from '../src/errors.ts';
import { parseEdge } from '../src/parse-edge.ts';
import { outputRangeSchema, type OutputRange, type OutputSlice, type TerminalSize } from '../src/session/output.ts';

/** All that a scripted agent printed, the newest `maxBytes` of it. */
export class ScriptedOutput {
  #kept = Buffer.alloc(0);
  #start = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#kept.length;
  }

  append(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#kept, bytes]);
    const dropped = Math.max(0, all.length - this.#maxBytes);
    this.#kept = all.subarray(dropped);
    this.#start += dropped;
  }

  read(range: OutputRange | undefined, size: TerminalSize): OutputSlice {
    const { as, from = this.#start, maxBytes } = parseEdge(outputRangeSchema, range ?? {}, { what: 'output range' });
    if (as === 'screen') return this.#screen(size);
    const details = { requested: from, start: this.#start, end: this.end };
    if (from < this.#start)
      throw new SemoError('output_dropped', `Output before byte ${this.#start} is no longer kept.`, { details });
    if (from > this.end) throw new SemoError('output_beyond_end', `The output ends at byte ${this.end}.`, { details });
    const rest = this.#kept.subarray(from - this.#start);
    const bytes = Uint8Array.from(rest.subarray(0, wholeCharacters(rest, maxBytes)));
    const bounds = { from, next: from + bytes.length, start: this.#start, end: this.end };
    return as === 'raw' ? { as, bytes, ...bounds } : { as, text: new TextDecoder().decode(bytes), ...bounds };
  }

  #screen(size: TerminalSize): OutputSlice {
    const lines = this.#kept.toString('utf8').split(/\r?\n/).slice(-size.rows);
    const cursor = { column: lines.at(-1)?.length ?? 0, row: lines.length - 1 };
    return { as: 'screen', lines, cursor, from: this.#start, next: this.end, start: this.#start, end: this.end };
  }
}

/** The most bytes, `maxBytes` at most, that do not end within a character of UTF-8. */
function wholeCharacters(bytes: Uint8Array, maxBytes: number): number {
  if (bytes.length <= maxBytes) return bytes.length;
  let length = maxBytes;
  while (length > 0 && ((bytes[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  return length;
}
