import { describe, expect, it } from 'vitest';

import { EchoMatcher } from '../../../src/agent/command/echo-matcher.ts';

describe('the echo of what was typed', () => {
  it('is followed byte by byte, line ends as a terminal prints them', () => {
    const echo = new EchoMatcher('two\nlines 한');
    for (const byte of Buffer.from('two\r\nlines 한\r\n')) expect(echo.consume(Uint8Array.of(byte))).toBe(true);
    expect(echo.consume(Buffer.from('x'))).toBe(false);
  });

  it('is over for good at the first byte that differs', () => {
    const echo = new EchoMatcher('abc');
    expect(echo.consume(Buffer.from('abX'))).toBe(false);
    expect(echo.consume(Buffer.from('c\r\n'))).toBe(false);
  });

  it('is nothing where nothing echoes', () => {
    expect(new EchoMatcher('').consume(Buffer.from('a word'))).toBe(false);
  });
});
