import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { ProcessExit, Terminal } from '../../../src/terminal/terminal.ts';
import { openTmuxServer } from '../../../src/terminal/tmux/tmux-server.ts';
import { startTmuxTerminal } from '../../../src/terminal/tmux/tmux-terminal.ts';
import { TERMINALS, openCommand } from '../opened-terminal.ts';
import { TMUX } from './tmux-stage.ts';

interface Pane {
  readonly terminal: Terminal;
  readonly folder: string;
  readonly exited: Promise<ProcessExit>;
  readonly text: () => string;
}

/** A shell script in tmux, with what a session would not set. */
async function pane(script: string, { maxKeptBytes = 64 << 20, paused = false } = {}): Promise<Pane> {
  const state = await temporaryFolder('semo-tmux-');
  const server = await openTmuxServer({ stateDir: state.path });
  const folder = join(state.path, 'pane');
  const options = {
    command: ['/bin/bash', '-c', script],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    size: { cols: 91, rows: 27 },
  };
  const more = { key: newId('ses'), folder, maxKeptBytes, readAgainBytes: 0 };
  const tmux = await startTmuxTerminal(server, { ...options, ...more });
  const chunks: Buffer[] = [];
  const exited = Promise.withResolvers<ProcessExit>();
  const terminal = tmux.open({
    ...options,
    onData: (bytes) => void chunks.push(Buffer.from(bytes)),
    onExit: exited.resolve,
  });
  if (paused) terminal.pause();
  onTestFinished(async () => {
    terminal.close();
    await tmux.dispose();
    await state[Symbol.asyncDispose]();
  });
  return { terminal, folder, exited: exited.promise, text: () => Buffer.concat(chunks).toString('latin1') };
}

const size = async (folder: string): Promise<number> => {
  const pieces = (await readdir(folder)).filter((name) => name.startsWith('out.'));
  const sizes = await Promise.all(pieces.map(async (name) => stat(join(folder, name)).catch(() => null)));
  return sizes.reduce((sum, piece) => sum + (piece?.size ?? 0), 0);
};

describe.skipIf(TMUX.path === null)(`a terminal in tmux${TMUX.reason}`, () => {
  it('gives the very environment that a pseudo-terminal gives', async () => {
    const env = { PATH: '/usr/bin:/bin', TERM: 'xterm-256color', QUOTED: `it's "so" $HOME \`x\` \\ \n2`, EMPTY: '' };
    const environments = await Promise.all(
      TERMINALS.filter(({ name }) => name !== 'pipes').map(async ({ open }) => {
        await using opened = await openCommand(['/usr/bin/env', '-0'], { open, env, cwd: '/tmp' });
        await opened.exited;
        return opened.bytes().toString().split('\0').sort();
      }),
    );
    expect(environments[0]).toContain(`QUOTED=${env.QUOTED.replace('\n', '\r\n')}`);
    expect(environments[1]).toEqual(environments[0]);
  });

  it('has its size from the start, and the one it is given later', async () => {
    const { terminal, exited, text } = await pane('stty size; read -r line; stty size; sleep 0.3');
    await vi.waitFor(() => expect(text()).toContain('27 91'), 10_000);
    terminal.resize({ cols: 44, rows: 11 });
    await terminal.write('\n');
    await exited;
    expect(text()).toContain('11 44');
  });

  it('takes a command longer than tmux does', async () => {
    const { exited, text } = await pane(`: ${'x'.repeat(100_000)}; echo taken; sleep 0.3`);
    await exited;
    expect(text()).toBe('taken\r\n');
  });

  it('removes its start script, in which the environment stands', async () => {
    const { folder, terminal, exited } = await pane('read -r line');
    await terminal.write('\n');
    await exited;
    expect((await readdir(folder)).sort()).not.toContain('start');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('removes from disk what has been read', async () => {
    // It ends after its last byte has been read: tmux may lose what is printed in the moment of an end.
    const { folder, terminal, exited, text } = await pane('head -c 20000000 /dev/zero; read -r line');
    await vi.waitFor(() => expect(text().length).toBe(20_000_000), { timeout: 20_000, interval: 200 });
    await terminal.write('\n');
    await exited;
    expect(await size(folder)).toBeLessThan(5_000_000);
  });

  it('keeps no more on disk than it may when nobody reads, and says what was dropped', async () => {
    const limit = 8 << 20;
    const { folder, terminal, exited, text } = await pane('head -c 50000000 /dev/zero; echo end.; sleep 0.3', {
      maxKeptBytes: limit,
      paused: true,
    });
    await vi.waitFor(async () => expect(await readdir(folder)).toContain('end'), 20_000);
    expect(await size(folder)).toBeLessThan(limit + (8 << 20));
    terminal.resume();
    expect(await exited).toEqual({ code: 0, signal: null });
    const dropped = Number(/semo: (\d+) bytes of output came too fast/.exec(text())?.[1]);
    expect(dropped).toBeGreaterThan(30_000_000);
    const notice = `\r\n[semo: ${dropped} bytes of output came too fast and were dropped]\r\n`;
    expect(text().length - notice.length + dropped).toBe(50_000_006);
    expect(text().endsWith('end.\r\n')).toBe(true);
  });

  it('is lost when what keeps its output is killed', async () => {
    const { folder, exited } = await pane('sleep 60');
    await vi.waitFor(async () => expect(await readFile(join(folder, 'keeper'), 'utf8')).toMatch(/\d\n/), 10_000);
    process.kill(Number(await readFile(join(folder, 'keeper'), 'utf8')), 'SIGKILL');
    expect(await exited).toEqual({ code: null, signal: null });
  });

  // One that ends in the very moment of its last word can lose it: see docs/tmux.md.
  it('loses neither the first nor the last word of a program that is soon gone', async () => {
    for (let run = 0; run < 15; run += 1) {
      const { exited, text } = await pane('echo hi; sleep 0.1; exit 7');
      expect(await exited).toEqual({ code: 7, signal: null });
      expect(text()).toBe('hi\r\n');
    }
  });
});
