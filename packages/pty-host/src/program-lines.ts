import { TerminalTextDecoder } from './terminal-text.ts';

/** A line of a program's output as plain text, and the place of its first byte. */
export interface ProgramLine {
  readonly text: string;
  readonly offset: number;
}

const LINE_FEED = 0x0a;

/** A program's output as lines of plain text that know where they began. Output comes in pieces, cut anywhere. */
export class ProgramLines {
  readonly #decoder = new TerminalTextDecoder();
  #lineStart: number | null = null;

  /** The line that is not finished yet. */
  get unfinished(): string {
    return this.#decoder.unfinished;
  }

  /** Takes a piece and gives the lines that it finished. */
  read(bytes: Uint8Array, offset: number): ProgramLine[] {
    const lines: ProgramLine[] = [];
    for (let from = 0; from < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, from);
      const to = feed === -1 ? bytes.length : feed + 1;
      const start = (this.#lineStart ??= offset + from);
      const text = this.#decoder.write(bytes.subarray(from, to));
      lines.push(...toLines(text, start));
      // A cursor move can finish a line as well; what follows it began in this piece.
      if (feed !== -1) this.#lineStart = null;
      else if (text !== '') this.#lineStart = offset + from;
      from = to;
    }
    return lines;
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
