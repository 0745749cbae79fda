import { describe, expect, it } from 'vitest';

import { LiveOutput } from '../../src/live-output.ts';
import { Screen, type ScreenSource } from '../../src/terminal/screen.ts';
import { openCommand } from './opened-terminal.ts';
import { openPty } from '../../src/terminal/pty-terminal.ts';

const SIZE = { cols: 20, rows: 4 };
const still = { pause: () => undefined, resume: () => undefined };

function watched() {
  const calls: string[] = [];
  return { calls, pause: () => void calls.push('pause'), resume: () => void calls.push('resume') };
}

describe('a rendered screen', () => {
  it('shows what a person would see', async () => {
    const screen = new Screen(SIZE, still);
    screen.write(Buffer.from('one\r\ntwo\x1b[1;2Hx한'));
    expect(await screen.view()).toEqual({ lines: ['ox한', 'two', '', ''], cursor: { column: 4, row: 0 } });
    screen.dispose();
  });

  it('puts characters together that come in pieces', async () => {
    const screen = new Screen(SIZE, still);
    for (const byte of Buffer.from('🙂 é 한')) screen.write(Uint8Array.of(byte));
    expect((await screen.view()).lines[0]).toBe('🙂 é 한');
    screen.dispose();
  });

  it('keeps its own copy of what it is given', async () => {
    const screen = new Screen(SIZE, still);
    const bytes = Buffer.from('kept');
    screen.write(bytes);
    bytes.fill('x');
    expect((await screen.view()).lines[0]).toBe('kept');
    screen.dispose();
  });

  it('follows the size of the terminal', async () => {
    const screen = new Screen(SIZE, still);
    screen.write(Buffer.from('a line of many words'));
    screen.resize({ cols: 10, rows: 6 });
    expect((await screen.view()).lines).toHaveLength(6);
    screen.dispose();
  });

  it('holds a flood back, and lets it go on once it is parsed', async () => {
    const source = watched();
    const screen = new Screen(SIZE, source);
    for (let piece = 0; piece < 20; piece += 1) screen.write(Buffer.alloc(64 * 1024, 'x'));
    expect(source.calls).toEqual(['pause']);
    await screen.view();
    expect(source.calls).toEqual(['pause', 'resume']);
    screen.dispose();
  });
});

describe('the output of a session with a screen', () => {
  it('is complete at the end of a process that floods it and is gone', async () => {
    const size = 2_000_000;
    let source: ScreenSource = still;
    const held = { pause: () => source.pause(), resume: () => source.resume() };
    const output = new LiveOutput({ maxBytes: 4 * 1024 * 1024, size: SIZE, withScreen: true, source: held });
    const script = `process.stdout.write('x'.repeat(${size - 4}) + 'end.')`;
    const opened = await openCommand([process.execPath, '-e', script], {
      env: { PATH: process.env['PATH'] ?? '' },
      open: (options) => {
        const terminal = openPty({
          ...options,
          onData(bytes) {
            output.append(bytes);
            options.onData(bytes);
          },
        });
        source = terminal;
        return terminal;
      },
    });
    await opened.exited;
    expect(output.log.end).toBe(size);
    const view = await output.read({ as: 'screen' });
    expect(view.as === 'screen' ? view.lines.join('') : '').toMatch(/x+end\.$/);
    opened.terminal.close();
  });

  it('is rendered from what is kept when first asked for, and follows from then on', async () => {
    const output = new LiveOutput({ maxBytes: 4096, size: SIZE, withScreen: false, source: still });
    output.append(Buffer.from('before'));
    const first = await output.read({ as: 'screen' });
    output.append(Buffer.from(' after'));
    output.resize({ cols: 30, rows: 4 });
    const second = await output.read({ as: 'screen' });
    expect([first, second].map((view) => (view.as === 'screen' ? view.lines[0] : null))).toEqual([
      'before',
      'before after',
    ]);
  });
});
