import { describe, expect, it } from 'vitest';

import { MAX_PROMPT_BYTES, SemoError, checkPrompt, type ErrorCode } from '../../src/index.ts';

function codeOf(prompt: string): ErrorCode | null {
  try {
    checkPrompt(prompt);
    return null;
  } catch (thrown) {
    return SemoError.from(thrown).code;
  }
}

describe('checkPrompt', () => {
  it.each(['do it', 'two\nlines\r\n', 'emoji 👩‍💻', '\x1b[200~ begins a paste', 'x'.repeat(MAX_PROMPT_BYTES)])(
    'lets %# through',
    (prompt) => {
      expect(codeOf(prompt)).toBeNull();
    },
  );

  it.each<[string, string, ErrorCode]>([
    ['nothing', '', 'invalid_prompt'],
    ['blanks', ' \n\t ', 'invalid_prompt'],
    ['a NUL', 'a\0b', 'invalid_prompt'],
    ['the end of a paste', 'a\x1b[201~b', 'invalid_prompt'],
    ['half a character', 'a\ud83db', 'invalid_prompt'],
    ['a byte too many', 'x'.repeat(MAX_PROMPT_BYTES + 1), 'prompt_too_long'],
    ['a byte too many in UTF-8', 'é'.repeat(MAX_PROMPT_BYTES / 2 + 1), 'prompt_too_long'],
  ])('refuses %s', (_, prompt, code) => {
    expect(codeOf(prompt)).toBe(code);
  });

  it('says how long a prompt is and may be', () => {
    expect(() => checkPrompt('x'.repeat(MAX_PROMPT_BYTES + 1))).toThrow(
      expect.objectContaining({ details: { bytes: MAX_PROMPT_BYTES + 1, maxBytes: MAX_PROMPT_BYTES } }),
    );
  });
});
