import { describe, expect, it } from 'vitest';

import { quoteForLineMode, readTerminalMode } from '../../../src/agent/command/terminal-mode.ts';
import { openPty } from '../../../src/terminal/pty-terminal.ts';
import { openShell } from '../../terminal/opened-terminal.ts';

describe('the mode of a terminal', () => {
  it.each([
    { setting: '', mode: 'line' },
    { setting: 'stty raw; ', mode: 'raw' },
    { setting: 'stty -icanon; ', mode: 'raw' },
    { setting: 'stty raw; stty sane; ', mode: 'line' },
  ])('is $mode after "$setting"', async ({ setting, mode }) => {
    await using opened = await openShell(`${setting}echo set; sleep 30`, { open: openPty });
    await opened.until('set');
    expect(await readTerminalMode(opened.terminal.device ?? '')).toBe(mode);
  });

  it('is taken for the one that terminals begin in where nobody can tell', async () => {
    expect(await readTerminalMode('/dev/no-such-terminal')).toBe('line');
  });
});

it('what a terminal in line mode would act on is quoted, line ends and tabs are not', () => {
  expect(quoteForLineMode('a\tb\nc\u0003d\u007fé')).toBe('a\tb\nc\u0016\u0003d\u0016\u007fé');
});
