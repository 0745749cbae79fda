/** White space and the borders that programs draw around text: where a line is broken, they stand between its parts. */
const BETWEEN = /[\s│┃║|▏▕]+/g;
const RELISTED = /\W{0,6}$/;

/** A row without what may stand between the parts of a broken line. */
export function bareRow(row: string): string {
  return row.replaceAll(BETWEEN, '');
}

/**
 * Where a marker begins in rows that are put together, each not in a listing of the environment, where its variable stands
 * before it.
 */
export function markerPlaces(
  rows: readonly string[],
  { marker, variable }: { marker: string; variable: string },
): number[] {
  const text = rows.join('');
  const places: number[] = [];
  for (let at = text.indexOf(marker); at !== -1; at = text.indexOf(marker, at + marker.length)) {
    const before = text.slice(Math.max(0, at - variable.length - 6), at);
    if (!before.replace(RELISTED, '').endsWith(variable)) places.push(at);
  }
  return places;
}

/** A pattern for a marker with anything between its characters that may come there where a line is broken. */
export function brokenMarker(marker: string): RegExp {
  return new RegExp(
    Array.from(marker, (letter) => letter.replace(/\W/, String.raw`\$&`)).join(BETWEEN.source.replace('+', '*')),
    'g',
  );
}

/**
 * Knows the rows that only show the prompt again: the terminal's echo, or an input line that a program paints and paints
 * again. It matters only for prompts that hold the marker themselves.
 */
export class EchoRows {
  readonly #marker: string;
  readonly #lines: readonly string[];
  /** What is left of a line of the prompt that a row above began with. */
  #rest = '';

  constructor(prompt: string, marker: string) {
    this.#marker = marker;
    this.#lines = prompt
      .split('\n')
      .map((line) => bareRow(line))
      .filter((line) => line.includes(marker));
  }

  /** Whether a row, as {@link bareRow} gives it, is echo. Asked of each row once, in order. */
  has(row: string): boolean {
    if (this.#lines.length === 0 || row === '') return false;
    if (this.#rest !== '' && this.#rest.startsWith(row)) {
      this.#rest = this.#rest.slice(row.length);
      return true;
    }
    if (this.#lines.some((line) => this.#standsAlike(row, line))) return true;
    const line = this.#lines.find((one) => overlap(row, one) > 0);
    if (line === undefined) return false;
    this.#rest = line.slice(overlap(row, line));
    return true;
  }

  /** Whether the marker stands in the row between the same characters as in the prompt, as far as the row has any. */
  #standsAlike(row: string, line: string): boolean {
    const [before = '', after = ''] = around(line, this.#marker);
    const [rowBefore, rowAfter] = around(row, this.#marker);
    if (rowBefore === undefined || rowAfter === undefined) return false;
    if (before !== '') return rowBefore.endsWith(before) || (after !== '' && rowAfter.startsWith(after));
    return rowAfter === '' || rowAfter.startsWith(after);
  }

  /** As {@link has}, for a row that is still being written. */
  mayHave(row: string): boolean {
    const rest = this.#rest;
    const answer = this.has(row);
    this.#rest = rest;
    return answer;
  }
}

/** The few characters on both sides of a marker; none without one. */
function around(text: string, marker: string): [string, string] | [] {
  const at = text.indexOf(marker);
  if (at === -1) return [];
  const end = at + marker.length;
  return [text.slice(Math.max(0, at - SHORTEST_OVERLAP), at), text.slice(end, end + SHORTEST_OVERLAP)];
}

/** A shorter beginning of a prompt may stand at the end of a row by chance. */
const SHORTEST_OVERLAP = 4;

/** How much of the end of `row` is the beginning of `line`. */
function overlap(row: string, line: string): number {
  for (let length = Math.min(row.length, line.length); length >= SHORTEST_OVERLAP; length -= 1) {
    if (row.endsWith(line.slice(0, length))) return length;
  }
  return 0;
}
