import { newId } from '@semo-office/core';
import { optionalTool, temporaryFolder } from '@semo-office/testbed';

import { openPipes } from '../../src/terminal/pipes.ts';
import { openPty } from '../../src/terminal/pty-terminal.ts';
import type { ProcessExit, Terminal, TerminalOptions } from '../../src/terminal/terminal.ts';
import { openTmuxServer } from '../../src/terminal/tmux/tmux-server.ts';
import { startTmuxTerminal } from '../../src/terminal/tmux/tmux-terminal.ts';

/** How a terminal is opened; what it needs beside goes with it. */
type Open = (options: TerminalOptions) => Terminal | Promise<Terminal & Partial<AsyncDisposable>>;

/** The one in tmux, on a server of its own. */
async function openTmux(options: TerminalOptions): Promise<Terminal & AsyncDisposable> {
  const state = await temporaryFolder('semo-tmux-');
  const server = await openTmuxServer({ stateDir: state.path });
  const tmux = await startTmuxTerminal(server, { ...options, key: newId('ses'), folder: `${state.path}/pane` });
  return {
    ...tmux.open(options),
    async [Symbol.asyncDispose]() {
      await tmux.dispose();
      await state[Symbol.asyncDispose]();
    },
  };
}

const tmux = optionalTool('tmux');

/** All ways to open one, by name. */
export const TERMINALS: readonly { readonly name: string; readonly open: Open; readonly absent?: boolean }[] = [
  { name: 'a pseudo-terminal', open: openPty },
  { name: 'pipes', open: openPipes },
  { name: `tmux${tmux.reason}`, open: openTmux, absent: tmux.path === null },
];

/** A terminal with all that came out of it; disposing it kills what runs in it. */
export interface OpenedTerminal extends AsyncDisposable {
  readonly terminal: Terminal;
  readonly exited: Promise<ProcessExit>;
  /** How often the exit was told. */
  readonly exits: () => number;
  readonly bytes: () => Buffer;
  /** Resolves when the output so far holds `text`. */
  until(text: string): Promise<void>;
}

interface Opening {
  readonly open: Open;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a shell script in a terminal. */
export function openShell(script: string, opening: Opening): Promise<OpenedTerminal> {
  return openCommand(['/bin/sh', '-c', script], opening);
}

/** Runs a command in a terminal. */
export async function openCommand(
  command: readonly string[],
  { open, env = { PATH: process.env['PATH'] ?? '' }, cwd = '/' }: Opening,
): Promise<OpenedTerminal> {
  const chunks: Buffer[] = [];
  const waits = new Set<() => void>();
  const exited = Promise.withResolvers<ProcessExit>();
  let exits = 0;
  const terminal: Terminal & Partial<AsyncDisposable> = await open({
    command,
    cwd,
    env,
    size: { cols: 80, rows: 24 },
    onData(bytes) {
      chunks.push(Buffer.from(bytes));
      for (const wait of waits) wait();
    },
    onExit(exit) {
      exits += 1;
      exited.resolve(exit);
    },
  });
  const bytes = () => Buffer.concat(chunks);
  return {
    terminal,
    exited: exited.promise,
    exits: () => exits,
    bytes,
    until: (text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!bytes().includes(text)) return;
          waits.delete(look);
          resolve();
        };
        waits.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      if (exits === 0) process.kill(-terminal.pid, 'SIGKILL');
      await exited.promise;
      terminal.close();
      await terminal[Symbol.asyncDispose]?.();
    },
  };
}
