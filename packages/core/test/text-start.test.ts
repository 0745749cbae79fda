import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { textStart } from '../src/index.ts';

it.each([
  ['abc', 5, 'abc'],
  ['abc', 2, 'ab'],
  ['abc', 0, ''],
  ['', 3, ''],
  ['ab🎉', 3, 'ab'],
  ['ab🎉', 4, 'ab🎉'],
  ['🎉🎉', 3, '🎉'],
  ['🎉', 1, ''],
])('of %j, at most %i characters, is %j', (text, most, start) => {
  expect(textStart(text, most)).toBe(start);
});

it('never cuts a pair, and leaves no more than that out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, most) => {
      const start = textStart(text, most);
      expect(start.isWellFormed()).toBe(true);
      expect(text.startsWith(start)).toBe(true);
      expect(start.length).toBeLessThanOrEqual(most);
      expect(start.length).toBeGreaterThanOrEqual(Math.min(text.length, most) - 1);
    }),
  );
});
