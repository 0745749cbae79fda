import { TerminalTextDecoder } from './terminal-text.ts';

/** A line of a program's output as plain text, and the place of its first byte. */
export interface ProgramLine {
  readonly text: string;
  readonly offset: number;
}

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const DELETE = 0x7f;
/** A line that goes on beyond this is taken for finished, in columns: programs print megabytes without a line end. */
const LONGEST_LINE = 16_384;
/** As much of a line that is not finished is looked at. */
const TAIL_COLUMNS = 1024;

/** A program's output as lines of plain text that know where they began. Output comes in pieces, cut anywhere. */
export class ProgramLines {
  readonly #decoder = new TerminalTextDecoder();
  #lineStart: number | null = null;

  /** The end of the line that is not finished yet. */
  get unfinished(): string {
    return this.#decoder.unfinishedTail(TAIL_COLUMNS);
  }

  /** Takes a piece and gives the lines that it finished. */
  read(bytes: Uint8Array, offset: number): ProgramLine[] {
    const lines: ProgramLine[] = [];
    for (let from = 0; from < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, from);
      const to = feed === -1 ? bytes.length : feed + 1;
      const start = (this.#lineStart ??= offset + from);
      const text = this.#text(bytes.subarray(from, to));
      lines.push(...toLines(text, start));
      if (this.#decoder.unfinishedColumns > LONGEST_LINE) lines.push(...this.end());
      // A cursor move can finish a line as well; what follows it began in this piece.
      if (feed !== -1) this.#lineStart = null;
      else if (text !== '') this.#lineStart = offset + from;
      from = to;
    }
    return lines;
  }

  /** Most lines are plain; what a terminal would make of them need not be worked out letter by letter. */
  #text(piece: Uint8Array): string {
    if (!this.#decoder.isBlank || !isPlainLine(piece)) return this.#decoder.write(piece);
    const end = piece.at(-2) === RETURN ? -2 : -1;
    return `${Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength + end).toString('utf8')}\n`;
  }

  /** Gives the line that no line end has finished, and begins anew. */
  end(): ProgramLine[] {
    const start = this.#lineStart ?? 0;
    this.#lineStart = null;
    return toLines(this.#decoder.end(), start);
  }
}

function toLines(text: string, offset: number): ProgramLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => ({ text: line, offset }));
}

/** Whether a piece is one whole line without anything that a terminal would act on. */
function isPlainLine(piece: Uint8Array): boolean {
  if (piece.at(-1) !== LINE_FEED) return false;
  const end = piece.length - (piece.at(-2) === RETURN ? 2 : 1);
  for (let index = 0; index < end; index += 1) {
    const byte = piece[index] ?? 0;
    // C1 controls are two bytes in UTF-8, the first of them C2.
    if (byte < 0x20 || byte === DELETE || byte === 0xc2) return false;
  }
  return true;
}
