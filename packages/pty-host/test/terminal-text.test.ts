import { describe, expect, it } from 'vitest';

import { TerminalTextDecoder, terminalText } from '../src/terminal-text.ts';

const ESC = '\u001B';

describe('terminalText', () => {
  const cases: readonly (readonly [what: string, output: string, text: string])[] = [
    ['plain text', 'hello\nworld', 'hello\nworld'],
    ['colours', `${ESC}[1;31mred${ESC}[0m`, 'red'],
    ['private modes', `${ESC}[?2004h${ESC}[?25la`, 'a'],
    ['a title ended by BEL', `${ESC}]0;✳ title\u0007x`, 'x'],
    ['a link ended by ST', `${ESC}]8;;http://a${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
    ['a string broken off by another sequence', `${ESC}]0;t${ESC}[1mx`, 'x'],
    ['a cancelled string', `${ESC}]0;t\u0018x`, 'x'],
    ['device control', `${ESC}P1$r0m${ESC}\\y`, 'y'],
    ['charsets and keypad modes', `${ESC}(B${ESC})0${ESC}=${ESC}>z${ESC}7${ESC}8`, 'z'],
    ['a move by columns', `Created${ESC}[3Cpull`, 'Created   pull'],
    ['a move to a column', `Created${ESC}[11Gpull`, 'Created   pull'],
    ['a move to a column after wide characters', `한글${ESC}[6Gx`, '한글 x'],
    ['a move to the left', `abcd${ESC}[2DXY`, 'abXY'],
    ['an absurd move', `a${ESC}[999999999Cb`, `a${' '.repeat(4095)}b`],
    ['moves that nothing follows', `a${ESC}[10C\r\nb`, 'a\nb'],
    ['line ends', 'a\r\nb\r\n', 'a\nb\n'],
    ['a progress line', '10%\r50%\r100%\n', '100%\n'],
    ['a shorter overwrite', 'abcdef\rxyz', 'xyzdef'],
    ['an overwrite that erases', `abcdef\r${ESC}[Kxyz`, 'xyz'],
    ['erase the line', `abc${ESC}[2K\rxy`, 'xy'],
    ['erase to the left', `abc${ESC}[2D${ESC}[1Kx`, ' xc'],
    ['backspace', 'abd\bc', 'abc'],
    ['backspace at the beginning', '\b\ba', 'a'],
    ['tabs', 'a\tb\tc', 'a\tb\tc'],
    ['a tab over text', 'abcdefghij\r\tX', 'abcdefghXj'],
    ['rows', `one${ESC}[5;3Htwo${ESC}[Ethree${ESC}[2Afour`, 'one\n  two\nthree\n     four'],
    ['a row above without text', `${ESC}[Hx`, 'x'],
    ['combining characters', 'e\u0301\u0301x', 'e\u0301\u0301x'],
    ['a combining character at the beginning', '\u0301x', 'x'],
    ['other controls', 'a\u0000\u0007\u007F\u009Bb', 'ab'],
    ['a line end inside a sequence', `a${ESC}[3\nb`, 'a\nb'],
    ['a sequence begun anew', `${ESC}[3${ESC}[1mb`, 'b'],
    ['endless parameters', `${ESC}[${'1'.repeat(300)}mz`, `${'1'.repeat(44)}mz`],
    ['a sequence cut off', `a${ESC}[3`, 'a'],
    ['a string cut off', `a${ESC}]0;ti`, 'a'],
    ['an ESC cut off', `a${ESC}`, 'a'],
    ['emoji and Korean', '🎉 완료', '🎉 완료'],
    ['an overwrite of wide characters', '완료\rok!!', 'ok!!'],
  ];

  it.each(cases)('%s', (_what, output, text) => {
    expect(terminalText(output)).toBe(text);
    expect(terminalText(new TextEncoder().encode(output))).toBe(text);
  });

  it.each(cases)('%s, in pieces of one byte', (_what, output, text) => {
    const decoder = new TerminalTextDecoder();
    let whole = '';
    for (const byte of new TextEncoder().encode(output)) whole += decoder.write(Uint8Array.of(byte));
    expect(whole + decoder.end()).toBe(text);
  });

  it('leaves out the rest of a character that begins before the slice', () => {
    expect(terminalText(new TextEncoder().encode('한x').subarray(1))).toBe('x');
  });

  it('can be used again after its end', () => {
    const decoder = new TerminalTextDecoder();
    decoder.write(`a${ESC}[`);
    expect(decoder.end()).toBe('a');
    expect(decoder.write('b\n')).toBe('b\n');
  });
});
