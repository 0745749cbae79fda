// Text is handled as latin1 throughout: one character a byte, so that what a user wrote, in whatever encoding, stays.

const BYTE_ORDER_MARK = '\u00EF\u00BB\u00BF';
// A block never spans another one's beginning: a damaged one swallows nothing of what comes after it.
const BLOCK =
  /<!-- semo:persona begin [^\r\n]*-->(?:(?!<!-- semo:persona begin )[^])*?<!-- semo:persona end -->(?:\r?\n)?/g;

/** A persona's text between the lines that mark it as ours. */
export function managedBlock({ text, version }: { readonly text: string; readonly version: string }): string {
  return [
    `<!-- semo:persona begin ${version} · written by semo-office, removed when the session ends -->`,
    text.trimEnd(),
    '<!-- semo:persona end -->',
    '',
  ].join('\n');
}

/** The file with this block in it: where one already is, else before everything the user wrote. */
export function withBlock(file: Uint8Array, block: string): Uint8Array {
  const text = Buffer.from(file).toString('latin1');
  const lineEnd = /\r\n/.test(text) ? '\r\n' : '\n';
  const bytes = Buffer.from(block.replaceAll(/\r?\n/g, lineEnd), 'utf8').toString('latin1');
  const at = text.search(BLOCK);
  const rest = text.replace(BLOCK, '');
  const mark = rest.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const place = Math.max(at, mark);
  return Buffer.from(rest.slice(0, place) + bytes + rest.slice(place), 'latin1');
}

/** The file as the user wrote it. */
export function withoutBlock(file: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(file).toString('latin1').replace(BLOCK, ''), 'latin1');
}
