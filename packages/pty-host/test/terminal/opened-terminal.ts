import { openPipes } from '../../src/terminal/pipes.ts';
import { openPty } from '../../src/terminal/pty-terminal.ts';
import type { OpenTerminal, ProcessExit, Terminal } from '../../src/terminal/terminal.ts';

/** Both ways to open one, by name. */
export const TERMINALS: readonly { readonly name: string; readonly open: OpenTerminal }[] = [
  { name: 'a pseudo-terminal', open: openPty },
  { name: 'pipes', open: openPipes },
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
  readonly open: OpenTerminal;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a shell script in a terminal. */
export function openShell(script: string, opening: Opening): OpenedTerminal {
  return openCommand(['/bin/sh', '-c', script], opening);
}

/** Runs a command in a terminal. */
export function openCommand(
  command: readonly string[],
  { open, env = { PATH: process.env['PATH'] ?? '' }, cwd = '/' }: Opening,
): OpenedTerminal {
  const chunks: Buffer[] = [];
  const waits = new Set<() => void>();
  const exited = Promise.withResolvers<ProcessExit>();
  let exits = 0;
  const terminal = open({
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
    },
  };
}
