const ESCAPE = '\u001B';
const OPENING = `${ESCAPE}]133;`;
/** Printed by the shell's line editor when it hands a line on: what follows is no longer the line's echo. */
const PASTE_OFF = `${ESCAPE}[?2004l`;
// oxlint-disable-next-line no-control-regex -- the sequences begin and end with control characters
const SEQUENCE = /\u001B\]133;([^\u0007\u001B]{0,200})(?:\u0007|\u001B\\)|\u001B\[\?2004l/g;
/** A sequence that is not closed within this many bytes is none of ours. */
const LONGEST_MARK = 256;

/** A shell's word on where it stands. `start` and `end` are the places of its first byte and of the one after it. */
export type ShellMark = { readonly start: number; readonly end: number } & (
  | {
      /** `prompt`: it waits for a command. `begun`: it runs one. `more`: the command is not complete. */
      readonly kind: 'prompt' | 'begun' | 'more' | 'taken';
    }
  /** The command is over. */
  | { readonly kind: 'done'; readonly code: number }
);

/** Finds a shell's own marks in its output, cut anywhere. A mark without the nonce is a command's, and passed over. */
export class ShellMarkScanner {
  readonly #nonce: string;
  #carry = '';

  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  /** The marks that end in this piece, in order. */
  read(bytes: Uint8Array, offset: number): ShellMark[] {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const text = this.#carry + piece;
    const base = offset - this.#carry.length;
    let consumed = 0;
    const marks: ShellMark[] = [];
    for (const match of text.matchAll(SEQUENCE)) {
      consumed = match.index + match[0].length;
      const mark = this.#parse(match[1], { start: base + match.index, end: base + consumed });
      if (mark !== null) marks.push(mark);
    }
    this.#carry = openEnd(text.slice(consumed));
    return marks;
  }

  #parse(fields: string | undefined, place: { start: number; end: number }): ShellMark | null {
    if (fields === undefined) return { kind: 'taken', ...place };
    const [letter, ...rest] = fields.split(';');
    if (rest.pop() !== this.#nonce) return null;
    const code = Number.parseInt(rest[0] ?? '', 10);
    if (letter === 'B') return { kind: 'prompt', ...place };
    if (letter === 'C') return { kind: 'begun', ...place };
    if (letter === 'P') return { kind: 'more', ...place };
    return letter === 'D' && Number.isInteger(code) ? { kind: 'done', code, ...place } : null;
  }
}

/** What may be the beginning of a sequence that the next piece goes on with. */
function openEnd(text: string): string {
  const at = text.lastIndexOf(ESCAPE);
  // An ESC that ends a string (`ESC \`) belongs to the one that began it.
  const before = at > 0 ? text.lastIndexOf(OPENING, at - 1) : -1;
  const start = before !== -1 && at === text.length - 1 ? before : at;
  if (start === -1 || text.length - start > LONGEST_MARK) return '';
  const rest = text.slice(start);
  return [OPENING, PASTE_OFF].some((whole) => whole.startsWith(rest) || rest.startsWith(OPENING)) ? rest : '';
}
