const TAB_COLUMNS = 8;
// A program may ask for column 999 999 999; no line of ours becomes that long by a move.
const FARTHEST_COLUMN = 4096;

/** One line of a terminal as it is written, moved about in and overwritten. Columns count from 0. */
export class TerminalLine {
  /** One entry a column; the second column of a wide character and what a tab skips are empty. */
  #cells: string[] = [];
  #column = 0;

  /** Where the next character goes. */
  get column(): number {
    return this.#column;
  }

  get isEmpty(): boolean {
    return this.#cells.length === 0;
  }

  /** How many columns are taken. */
  get columns(): number {
    return this.#cells.length;
  }

  /** What stands in the last columns of the line. */
  tail(columns: number): string {
    return this.#cells.slice(-columns).join('');
  }

  /** What stands on the line. */
  get text(): string {
    return this.#cells.join('');
  }

  clear(): void {
    this.#cells = [];
    this.#column = 0;
  }

  put(character: string): void {
    const width = columnsOf(character);
    if (width === 0) {
      const before = this.#lastCharacterBefore(this.#column);
      if (before !== null) this.#cells[before] += character;
      return;
    }
    this.#pad();
    this.#cells[this.#column] = character;
    if (width === 2) this.#cells[this.#column + 1] = '';
    this.#column += width;
  }

  tab(): void {
    const stop = (Math.floor(this.#column / TAB_COLUMNS) + 1) * TAB_COLUMNS;
    if (this.#column >= this.#cells.length) {
      this.#pad();
      this.#cells.push('\t', ...Array.from({ length: stop - this.#column - 1 }, () => ''));
    }
    this.#column = stop;
  }

  moveBy(columns: number): void {
    this.moveTo(this.#column + columns);
  }

  moveTo(column: number): void {
    const farthest = Math.max(FARTHEST_COLUMN, this.#cells.length);
    this.#column = Math.max(0, Math.min(column, farthest));
  }

  /** 0: from the cursor to the end; 1: from the beginning to the cursor; 2: all. The cursor stays. */
  erase(part: number): void {
    if (part === 0) this.#cells.length = Math.min(this.#cells.length, this.#column);
    else if (part === 1) this.#cells.fill(' ', 0, this.#column + 1);
    else if (part === 2) this.#cells = [];
  }

  /** Moves leave a gap that becomes spaces only when something is written after it. */
  #pad(): void {
    while (this.#cells.length < this.#column) this.#cells.push(' ');
  }

  #lastCharacterBefore(column: number): number | null {
    for (let index = Math.min(column, this.#cells.length) - 1; index >= 0; index -= 1) {
      if (this.#cells[index] !== '') return index;
    }
    return null;
  }
}

const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}\uFE0F]$/u;

/** How many columns a character takes on a terminal: the East Asian wide ranges and emoji take two. */
function columnsOf(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (COMBINING.test(character)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f680 && code <= 0x1f6ff) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}
