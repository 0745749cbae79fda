import { spawn } from 'node-pty';

/** What every program of a measurement gets, ours or raw. */
export const programEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TERM: 'xterm-256color',
};

/** The same size in all measurements: a session's default. */
const SIZE = { cols: 120, rows: 40 };

/** A program in node-pty, without anything of ours. */
export interface RawTerminal extends AsyncDisposable {
  write(text: string): void;
  readonly exited: Promise<void>;
}

/** What {@link openRawTerminal} opens. */
export interface RawTerminalOptions {
  readonly command: readonly [string, ...string[]];
  readonly onData: (bytes: Uint8Array) => void;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Opens node-pty as a session opens it: bytes, not strings. */
export function openRawTerminal({ command, onData, cwd, env = programEnvironment }: RawTerminalOptions): RawTerminal {
  const [file, ...args] = command;
  const pty = spawn(file, args, { name: 'xterm-256color', ...SIZE, cwd, env: { ...env }, encoding: null });
  const exited = Promise.withResolvers<void>();
  pty.onData((data) => {
    onData(data as unknown as Uint8Array);
  });
  let gone = false;
  pty.onExit(() => {
    gone = true;
    exited.resolve();
  });
  return {
    write: (text) => pty.write(text),
    exited: exited.promise,
    async [Symbol.asyncDispose]() {
      if (!gone) pty.kill('SIGKILL');
      await exited.promise;
    },
  };
}
