import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { ProgramLines } from '../src/program-lines.ts';
import { terminalText } from '../src/terminal-text.ts';

function read(output: Uint8Array, cuts: readonly number[] = []): { text: string; offset: number }[] {
  const lines = new ProgramLines();
  const ends = [...cuts, output.length].map((cut) => Math.min(cut, output.length)).sort((a, b) => a - b);
  let from = 0;
  const found = ends.flatMap((to) => {
    const piece = lines.read(output.subarray(from, to), from);
    from = to;
    return piece;
  });
  return [...found, ...lines.end()];
}

it('gives lines and where they began', () => {
  const output = Buffer.from('one\r\n\u001B[31mtwo\u001B[0m\r\n한글\tx\nrest');
  expect(read(output)).toEqual([
    { text: 'one', offset: 0 },
    { text: 'two', offset: 5 },
    { text: '한글\tx', offset: 19 },
    { text: 'rest', offset: 28 },
  ]);
});

it('is the same text however the output is cut, and the same as read at once', () => {
  const piece = fc.constantFrom(
    'a',
    'é',
    '한',
    '\r\n',
    '\n',
    '\r',
    '\t',
    '\u001B[3C',
    '\u001B[31m',
    '\u001B[2K',
    'word ',
    '\u0085',
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(60)), (pieces, cuts) => {
      const output = Buffer.from(pieces.join(''));
      const text = read(output, cuts).map((line) => line.text);
      expect(text.join('\n').trimEnd()).toBe(terminalText(output).trimEnd());
    }),
  );
});

it('takes a line without end in pieces', () => {
  const lines = read(Buffer.from('x'.repeat(50_000)), [20_000, 40_000]);
  expect(lines.map(({ text }) => text).join('')).toHaveLength(50_000);
  expect(lines.length).toBeGreaterThan(1);
});
