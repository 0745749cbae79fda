import { expect, it } from 'vitest';

import { linearPattern } from '../src/linear-pattern.ts';

it('finds what JavaScript’s own engine would find', () => {
  const pattern = linearPattern({ name: 'deploy', source: String.raw`^deployed (?<where>\w+)\/v\d{2,}$`, flags: 'i' });
  expect(pattern.name).toBe('deploy');
  expect(pattern.isIn('Deployed staging/v12')).toBe(true);
  expect(pattern.isIn('not deployed staging/v12')).toBe(false);
  expect(linearPattern({ name: 'x', source: String.raw`한글\s+✓`, flags: 'u' }).isIn('한글  ✓')).toBe(true);
});

it.each([String.raw`(a)\1`, '(?=a)b', '(?<!a)b', '(', '[z-a]'])('refuses %s', (source) => {
  expect(() => linearPattern({ name: 'x', source, flags: '' })).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  );
});

it('takes no more than linear time for what backtracks elsewhere', () => {
  const pattern = linearPattern({ name: 'x', source: '^(a+)+$', flags: '' });
  // A backtracking engine would need 2^2000 steps.
  expect(pattern.isIn(`${'a'.repeat(2000)}!`)).toBe(false);
});
