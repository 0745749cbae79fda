import { describe, expect, it } from 'vitest';

import { encodeKey, keySchema, type Key } from '../../src/index.ts';

describe('keys', () => {
  it.each<[Key, string]>([
    ['Enter', '\r'],
    ['Tab', '\t'],
    ['Shift+Tab', '\x1b[Z'],
    ['Escape', '\x1b'],
    ['Backspace', '\x7f'],
    ['Up', '\x1b[A'],
    ['PageDown', '\x1b[6~'],
    ['F1', '\x1bOP'],
    ['F12', '\x1b[24~'],
    ['Space', ' '],
    ['Ctrl+C', '\x03'],
    ['Ctrl+c', '\x03'],
    ['Ctrl+@', '\0'],
    ['Ctrl+[', '\x1b'],
    ['Ctrl+_', '\x1f'],
    ['Alt+x', '\x1bx'],
    ['Alt++', '\x1b+'],
  ])('sends %s as a terminal does', (key, bytes) => {
    expect(keySchema.parse(key)).toBe(key);
    expect(encodeKey(key)).toBe(bytes);
  });

  it.each(['', 'enter', 'F13', 'Ctrl+', 'Ctrl+1', 'Ctrl+CC', 'Alt+', 'Alt+é', 'Alt+ab', 7, null])(
    'knows no key %j',
    (value) => {
      expect(keySchema.safeParse(value).error?.message).toContain('Unknown key');
    },
  );
});
