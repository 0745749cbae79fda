import * as fc from 'fast-check';
import { describe, it, expect } from 'vitest';

import { wildcard, wildcardFault, type WildcardKind } from '../../src/policy/wildcard.ts';

const RUNS = { text: '[^]*', path: '[^/]*', command: '[^;]*' };

/** The same by the engine that goes back and tries again: slow, and beyond doubt. */
function byRegExp(pattern: string, kind: WildcardKind): RegExp {
  const source = pattern.replaceAll(kind === 'path' ? /(?<=^|\/)\*\*\/|\*\*|\*/g : /\*/g, (star) => {
    if (star === '**/') return '(?:[^]*/)?';
    return star === '**' ? '[^]*' : RUNS[kind];
  });
  return new RegExp(`^(?:${source})$`);
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', '/', ';'), maxLength: 12 });
const pattern = fc
  .array(fc.constantFrom('a', 'b', '/', ';', '*', '*', '**/', '**'), { minLength: 1, maxLength: 8 })
  .map((pieces) => pieces.join(''));

describe('a wildcard', () => {
  it.each(['text', 'path', 'command'] as const)('matches as a regular expression would: %s', (kind) => {
    fc.assert(
      fc.property(pattern, word, (source, text) => {
        fc.pre(wildcardFault(source, kind) === null);
        expect(wildcard(source, kind)(text)).toBe(byRegExp(source, kind).test(text));
      }),
      { numRuns: 2000 },
    );
  });
});
