import { expect, it } from 'vitest';

import { storable } from '../../src/database/storable.ts';

/** Pieces that together read like what JSON writes for a character, or are one. */
const PIECES = ['\\', '\\u0000', 'u0000', '\\ud83d', 'ud83d', '\0', '\ud83d', '\udf89', '🎉', '"', '\n', 'a'];
const marked = (said: string): string => said.replaceAll('\0', '\ufffd').toWellFormed();

it('what the database cannot keep has a mark in its place, and nothing else is touched', () => {
  const said = PIECES.flatMap((one) => PIECES.flatMap((two) => PIECES.map((three) => `${one}${two}${three}`)));
  expect(storable({ said, n: 1, none: null })).toEqual({ said: said.map(marked), n: 1, none: null });
  for (const name of said) expect(storable({ [name]: 'x' })).toEqual({ [marked(name)]: 'x' });
});

it('what is undefined is left out', () => {
  expect(storable({ a: undefined, b: 'x' })).toEqual({ b: 'x' });
});
