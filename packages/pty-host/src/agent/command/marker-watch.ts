import type { Clock } from '@semo-office/core';

import { ProgramLines, type ProgramLine } from '../../program-lines.ts';
import { EchoRows, bareRow, markerPlaces } from './marker-rows.ts';
import { MarkerScanner } from './marker-scanner.ts';
import { ReadingBudget } from './reading-budget.ts';

/** A marker of 34 characters is broken into no more rows than this, at 10 columns and more. */
const REMEMBERED_ROWS = 6;
/** How long to wait before the screen is looked at, so that a burst of painting is looked at once. */
const LOOK_AFTER_MS = 20;
/** Moves to other rows, scrolling, and the alternate screen. What such a program prints is no sequence of lines. */
// oxlint-disable-next-line no-control-regex -- escape sequences begin with one
const PAINTS = /\u001b(?:\[[\d;]*[ABEFHSTLMdf]|\[\?(?:47|104[79])h|M)/;
const LONGEST_MOVE = 12;
const LINE_FEED = 0x0a;
const ESCAPE = 0x1b;
/** How much of a flood is read closely once it has passed. */
const FLOOD_TAIL_BYTES = 8 * 1024;

/** What {@link MarkerWatch} needs. */
export interface MarkerWatchOptions {
  readonly marker: string;
  /** The environment variable that holds it. */
  readonly variable: string;
  readonly clock: Clock;
  /** The rows of the terminal's screen; `null` on pipes. */
  readonly screen: (() => Promise<readonly string[]>) | null;
  /** Called with each line as it is finished, before the marker that comes with it or after it. */
  readonly onLine: (line: ProgramLine) => void;
  readonly onMarker: (offset: number) => void;
}

/**
 * Watches for the marker of a turn: in the bytes, in the text they come to (cursor moves, overwriting, lines that the
 * program itself broke), and, for a program that paints, on the screen. There an old marker may be painted again, so it
 * takes one more than there were when the prompt was sent. An echo of the prompt never counts.
 */
export class MarkerWatch {
  readonly #options: MarkerWatchOptions;
  readonly #scanner: MarkerScanner;
  #lines = new ProgramLines();
  #echo: EchoRows;
  #prompt = '';
  #rows: string[] = [];
  #tail = '';
  #paints = false;
  #armed = false;
  /** As many markers on the screen may belong to earlier turns. */
  #old = 0;
  #looking = false;
  readonly #budget: ReadingBudget;
  /** The end of a flood that was not read closely. */
  #skipped: { readonly bytes: Buffer; readonly end: number; readonly turn: number } | null = null;
  #turn = 0;

  constructor(options: MarkerWatchOptions) {
    this.#options = options;
    this.#budget = new ReadingBudget(options.clock);
    this.#scanner = new MarkerScanner(options.marker, `${options.variable}=`);
    this.#echo = new EchoRows('', options.marker);
  }

  /** A prompt is about to be sent: only what comes from now on counts. */
  async begin(prompt: string): Promise<void> {
    const { screen } = this.#options;
    const shown = this.#paints && screen !== null ? this.#countOn(await screen()) : 0;
    // The markers of all turns so far may be painted once more, also those that cannot be seen now.
    this.#arm(prompt, Math.max(shown, this.#turn));
  }

  /** Another host has sent so many prompts, and then maybe this one: what comes from now on belongs to it. */
  takeUp(turnsBefore: number, prompt?: string): void {
    this.#turn = turnsBefore;
    if (prompt !== undefined) this.#arm(prompt, turnsBefore);
  }

  #arm(prompt: string, old: number): void {
    this.#old = old;
    this.#scanner.reset();
    this.#lines = new ProgramLines();
    this.#prompt = prompt;
    this.#echo = new EchoRows(prompt, this.#options.marker);
    this.#rows = [];
    this.#turn += 1;
    this.#armed = true;
  }

  /** Sees all output. */
  read(bytes: Uint8Array, offset: number): void {
    this.#notePainting(bytes);
    if (!this.#armed) return;
    if (this.#skipped === null && this.#budget.take(bytes.length)) this.#readClosely(bytes, offset);
    else this.#skim(bytes, offset);
    if (this.#paints) this.#lookSoon(offset + bytes.length);
  }

  #readClosely(bytes: Uint8Array, offset: number): void {
    for (let from = 0; from < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, from);
      const to = feed === -1 ? bytes.length : feed + 1;
      this.#take(bytes.subarray(from, to), offset + from);
      from = to;
    }
  }

  /** In a flood only a whole marker is looked for at once; the last of it is read closely when it has passed. */
  #skim(bytes: Uint8Array, offset: number): void {
    const raw = this.#scanner.find(bytes, offset);
    if (raw !== null && !this.#prompt.includes(this.#options.marker)) return this.#found(raw);
    const before = this.#skipped?.bytes ?? Buffer.alloc(0);
    const tail = Buffer.concat([before, bytes]).subarray(-FLOOD_TAIL_BYTES);
    if (this.#skipped === null) this.#options.clock.schedule(LOOK_AFTER_MS, () => this.#catchUp());
    this.#skipped = { bytes: tail, end: offset + bytes.length, turn: this.#turn };
  }

  #catchUp(): void {
    const skipped = this.#skipped;
    if (skipped === null || !this.#armed || skipped.turn !== this.#turn) return void (this.#skipped = null);
    if (!this.#budget.take(skipped.bytes.length)) {
      this.#options.clock.schedule(LOOK_AFTER_MS, () => this.#catchUp());
      return;
    }
    this.#skipped = null;
    // Where the flood was skipped, no line goes on.
    this.#lines = new ProgramLines();
    this.#rows = [];
    this.#readClosely(skipped.bytes, skipped.end - skipped.bytes.length);
  }

  /** Nothing more belongs to the turn: the line that is not finished is one. */
  end(): void {
    for (const line of this.#lines.end()) this.#options.onLine(line);
  }

  #take(piece: Uint8Array, offset: number): void {
    const raw = this.#scanner.find(piece, offset);
    const finished = this.#lines.read(piece, offset);
    const rows = [...this.#rows];
    for (const line of finished) {
      this.#options.onLine(line);
      const row = bareRow(line.text);
      if (!this.#echo.has(row)) rows.push(row);
    }
    this.#rows = rows.slice(-REMEMBERED_ROWS);
    const current = bareRow(this.#lines.unfinished);
    const echoed = this.#echo.mayHave(current);
    const all = echoed ? rows : [...rows, current];
    const shown = markerPlaces(all, this.#options).length > 0;
    // What was overwritten at once is in the bytes alone.
    const overwritten = raw !== null && !echoed && !this.#isShownAtAll([...finished.map(({ text }) => text), current]);
    if (shown || overwritten) this.#found(raw ?? offset);
  }

  #isShownAtAll(rows: readonly string[]): boolean {
    return rows
      .map((row) => bareRow(row))
      .join('')
      .includes(this.#options.marker);
  }

  #found(offset: number): void {
    if (this.#armed && !this.#paints) this.#report(offset);
  }

  #report(offset: number): void {
    this.#armed = false;
    this.end();
    this.#options.onMarker(offset);
  }

  #notePainting(bytes: Uint8Array): void {
    if (this.#paints || this.#options.screen === null) return;
    if (this.#tail === '' && !bytes.includes(ESCAPE)) return;
    const text = this.#tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    this.#paints = PAINTS.test(text);
    // Only the beginning of a sequence goes on in the next piece.
    const open = text.lastIndexOf('\u001b');
    this.#tail = open === -1 || text.length - open > LONGEST_MOVE ? '' : text.slice(open);
  }

  #lookSoon(offset: number): void {
    if (!this.#armed || this.#looking) return;
    this.#looking = true;
    this.#options.clock.schedule(LOOK_AFTER_MS, () => {
      this.#looking = false;
      void this.#look(offset);
    });
  }

  async #look(offset: number): Promise<void> {
    const turn = this.#turn;
    const rows = (await this.#options.screen?.()) ?? [];
    if (this.#armed && turn === this.#turn && this.#countOn(rows) > this.#old) this.#report(offset);
  }

  #countOn(rows: readonly string[]): number {
    const echo = new EchoRows(this.#prompt, this.#options.marker);
    const own = rows.map((row) => bareRow(row)).filter((row) => !echo.has(row));
    return markerPlaces(own, this.#options).length;
  }
}
