import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { ShellMarkScanner, type ShellMark } from '../../../src/agent/shell/shell-marks.ts';

const NONCE = '0123456789ab';
const mark = (fields: string, end = '\u0007') => `\u001B]133;${fields};${NONCE}${end}`;

function read(output: string, cuts: readonly number[] = []): ShellMark[] {
  const bytes = Buffer.from(output, 'latin1');
  const scanner = new ShellMarkScanner(NONCE);
  const ends = [...cuts, bytes.length].map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b);
  let from = 0;
  return ends.flatMap((to) => {
    const marks = scanner.read(bytes.subarray(from, to), from);
    from = to;
    return marks;
  });
}

it('reads the shell’s own marks with their places', () => {
  expect(
    read(`x${mark('C')}out${mark('D;3')}${mark('A')}${mark('B', '\u001B\\')}\u001B[?2004l${mark('P')}`),
  ).toMatchObject([
    { kind: 'begun', start: 1, end: 22 },
    { kind: 'done', code: 3, start: 25 },
    { kind: 'prompt' },
    { kind: 'taken' },
    { kind: 'more' },
  ]);
});

it.each([
  '\u001B]133;D;0\u0007',
  '\u001B]133;D;0;other\u0007',
  `\u001B]133;D;${NONCE}\u0007`,
  `\u001B]133;X;${NONCE}\u0007`,
  `]133;C;${NONCE}`,
])('passes over %j', (forged) => {
  expect(read(forged)).toEqual([]);
});

it('finds the same marks however the output is cut', () => {
  const piece = fc.constantFrom(
    mark('C'),
    mark('D;0'),
    mark('B', '\u001B\\'),
    '\u001B[?2004l',
    '\u001B',
    '\u001B[31m',
    'text',
    '\u001B]0;t\u0007',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(120)), (pieces, cuts) => {
      const output = pieces.join('');
      expect(read(output, cuts)).toEqual(read(output));
    }),
    { numRuns: 2000 },
  );
});
