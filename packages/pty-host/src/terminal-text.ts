import { TerminalLine } from './terminal-line.ts';

type Place =
  | { readonly in: 'text' }
  | { readonly in: 'escape' }
  /** After `ESC` and an intermediate byte, as in a choice of charset: one final byte follows. */
  | { readonly in: 'charset' }
  | { readonly in: 'control'; readonly parameters: string }
  /** OSC, DCS, SOS, PM, APC: text for the terminal, up to BEL or `ESC \`. */
  | { readonly in: 'string'; readonly escaped: boolean };

const TEXT: Place = { in: 'text' };
const ESCAPE = '\u001B';
const LONGEST_PARAMETERS = 256;
const PLAIN_LINE = /([ -~]*)\r?\n/y;

/**
 * Terminal output as plain text.
 *
 * Escape sequences are taken out; a cursor move to the right becomes spaces; `\r\n` becomes `\n`; a lone `\r`,
 * a backspace or a move to the left lets what follows overwrite the line; a move to another line begins a new one,
 * so that words on different rows stay apart. A sequence cut off at the end is left out.
 *
 * @example
 * ```ts
 * terminalText('\u001B[1mCreated\u001B[11Gpull\u001B[0m\r\n'); // 'Created   pull\n'
 * ```
 */
export function terminalText(output: Uint8Array | string): string {
  const decoder = new TerminalTextDecoder();
  return decoder.write(output) + decoder.end();
}

/**
 * {@link terminalText} for output that comes in pieces, cut anywhere.
 *
 * @example
 * ```ts
 * const decoder = new TerminalTextDecoder();
 * const lines = decoder.write(chunk); // whole lines only
 * const rest = decoder.end();
 * ```
 */
export class TerminalTextDecoder {
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #line = new TerminalLine();
  #place: Place = TEXT;
  #begun = false;
  #wholeCharacters = true;
  #finished: string[] = [];

  /** How many columns the line that is not finished yet has. */
  get unfinishedColumns(): number {
    return this.#line.columns;
  }

  /** Whether nothing is left over from what came before: no line, no sequence, no half of a character. */
  get isBlank(): boolean {
    return this.#line.isEmpty && this.#line.column === 0 && this.#place === TEXT && this.#wholeCharacters;
  }

  /** What stands in the last columns of the line that is not finished yet. */
  unfinishedTail(columns: number): string {
    return this.#line.tail(columns);
  }

  /** Takes a piece and gives the lines that it finished, each with its `\n`. */
  write(output: Uint8Array | string): string {
    const text = typeof output === 'string' ? output : this.#decode(output);
    for (let index = 0; index < text.length;) {
      const taken = this.#takePlainLine(text, index);
      if (taken > 0) index += taken;
      else {
        const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
        this.#take(character);
        index += character.length;
      }
    }
    return this.#flush();
  }

  /** Gives the line that no line end has finished. The decoder can be used again after it. */
  end(): string {
    for (const character of this.#utf8.decode()) this.#take(character);
    const text = this.#flush() + this.#line.text;
    this.#line.clear();
    this.#place = TEXT;
    this.#begun = false;
    return text;
  }

  #decode(bytes: Uint8Array): string {
    let first = 0;
    // The first piece may begin inside a character, whose rest says nothing.
    while (!this.#begun && first < 3 && ((bytes[first] ?? 0) & 0xc0) === 0x80) first += 1;
    this.#begun ||= bytes.length > 0;
    this.#wholeCharacters = (bytes.at(-1) ?? 0) < 0x80;
    return this.#utf8.decode(bytes.subarray(first), { stream: true });
  }

  #flush(): string {
    const text = this.#finished.join('');
    this.#finished = [];
    return text;
  }

  /** Most lines are plain from beginning to end: those are taken whole. Gives how much was taken. */
  #takePlainLine(text: string, index: number): number {
    if (this.#place !== TEXT || !this.#line.isEmpty || this.#line.column !== 0) return 0;
    PLAIN_LINE.lastIndex = index;
    const [line = '', words = ''] = PLAIN_LINE.exec(text) ?? [];
    if (line !== '') this.#finished.push(`${words}\n`);
    return line.length;
  }

  #take(character: string): void {
    const place = this.#place;
    if (character === ESCAPE && place.in !== 'string') this.#place = { in: 'escape' };
    else if (place.in === 'text') this.#put(character);
    else if (place.in === 'escape') this.#place = afterEscape(character);
    else if (place.in === 'charset') this.#place = isIntermediate(character) ? place : TEXT;
    else if (place.in === 'string') this.#place = afterStringCharacter(character, place.escaped);
    else this.#takeControl(character, place.parameters);
  }

  #takeControl(character: string, parameters: string): void {
    if (character >= ' ' && character <= '?' && parameters.length < LONGEST_PARAMETERS) {
      this.#place = { in: 'control', parameters: parameters + character };
      return;
    }
    this.#place = TEXT;
    if (character >= '@' && character <= '~') this.#move(character, parameters);
    // No sequence after all: what breaks it off counts for itself.
    else this.#put(character);
  }

  #put(character: string): void {
    if (character === '\n') this.#newLine();
    else if (character === '\r') this.#line.moveTo(0);
    else if (character === '\b') this.#line.moveBy(-1);
    else if (character === '\t') this.#line.tab();
    else if (character >= ' ' && !(character >= '\u007F' && character <= '\u009F')) this.#line.put(character);
  }

  #newLine(): void {
    this.#finished.push(`${this.#line.text}\n`);
    this.#line.clear();
  }

  #move(final: string, parameters: string): void {
    const numbers = parameters.split(';').map((part) => Number.parseInt(part, 10));
    const count = Math.max(1, numbers[0] || 1);
    if (final === 'C' || final === 'a') this.#line.moveBy(count);
    else if (final === 'D') this.#line.moveBy(-count);
    else if (final === 'G' || final === '`') this.#line.moveTo(count - 1);
    else if (final === 'K') this.#line.erase(numbers[0] || 0);
    else if ('ABEFHdf'.includes(final)) {
      const { column } = this.#line;
      if (!this.#line.isEmpty) this.#newLine();
      if (final === 'H' || final === 'f') this.#line.moveTo(Math.max(1, numbers[1] || 1) - 1);
      else if (final !== 'E' && final !== 'F') this.#line.moveTo(column);
    }
  }
}

function isIntermediate(character: string): boolean {
  return character >= ' ' && character <= '/';
}

function afterEscape(character: string): Place {
  if (character === '[') return { in: 'control', parameters: '' };
  if (']PX^_'.includes(character)) return { in: 'string', escaped: false };
  return isIntermediate(character) ? { in: 'charset' } : TEXT;
}

function afterStringCharacter(character: string, escaped: boolean): Place {
  // An ESC that begins another sequence ends the string as well; so do BEL and the cancelling controls.
  if (escaped) return character === '\\' ? TEXT : afterEscape(character);
  if (character === '\u0007' || character === '\u0018' || character === '\u001A') return TEXT;
  return { in: 'string', escaped: character === ESCAPE };
}
