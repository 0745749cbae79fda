import { write } from 'node:fs';
import { SemoError } from '@semo-office/core';
import * as nodePty from 'node-pty';

import { withOwnDescriptors } from './own-descriptors.ts';
import { signalName } from './signal-name.ts';
import type { ProcessExit, Terminal, TerminalOptions } from './terminal.ts';

/** How long to wait before asking a full terminal again; node-pty's own writer would spin instead. */
const FULL_TERMINAL_RETRY_MS = 2;

/** What node-pty 1.2.0-beta.15 has at run time but not in its typings. */
interface UnixPty extends nodePty.IPty {
  readonly fd: number;
  readonly ptsName: string;
  destroy(): void;
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  offset: number;
  readonly done: () => void;
  readonly failed: (error: SemoError) => void;
}

const gone = () => new SemoError('session_terminated', 'The agent has ended; nothing can be typed into its terminal.');

/**
 * Input of a pseudo-terminal. We write to the descriptor ourselves: node-pty gives no word when a write is done, spins
 * while the terminal is full, and prints EBADF when the child is gone.
 */
class PtyInput {
  readonly #fd: number;
  readonly #queue: PendingWrite[] = [];
  #open = true;
  #isWriting = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (!this.#open) return Promise.reject(gone());
    if (bytes.byteLength === 0) return Promise.resolve();
    return new Promise((done, failed) => {
      this.#queue.push({ bytes, offset: 0, done, failed });
      this.#next();
    });
  }

  drop(): boolean {
    const dropped = this.#queue.splice(0);
    for (const { failed } of dropped) failed(new SemoError('turn_cancelled', 'The rest of the input was dropped.'));
    return dropped.length > 0;
  }

  close(): void {
    this.#open = false;
    for (const pending of this.#queue.splice(0)) pending.failed(gone());
  }

  #next(): void {
    const pending = this.#queue[0];
    if (pending === undefined || !this.#open || this.#isWriting) return;
    this.#isWriting = true;
    write(this.#fd, pending.bytes, pending.offset, (error, written) => {
      if (!this.#open) return;
      if (error?.code === 'EAGAIN') setTimeout(() => this.#advance(pending, 0), FULL_TERMINAL_RETRY_MS);
      else if (error === null) this.#advance(pending, written);
      else this.close();
    });
  }

  #advance(pending: PendingWrite, written: number): void {
    this.#isWriting = false;
    pending.offset += written;
    if (pending.offset >= pending.bytes.byteLength && this.#queue[0] === pending) {
      this.#queue.shift();
      pending.done();
    }
    this.#next();
  }
}

/**
 * Opens a pseudo-terminal with node-pty. The exit is told after the last byte: node-pty itself waits for the descriptor
 * to run dry (or 200 ms, where a background process holds the terminal open).
 *
 * @throws SemoError `agent_start_failed`.
 */
export function openPty(options: TerminalOptions): Terminal {
  const pty = spawn(options);
  const input = new PtyInput(pty.fd);
  let exited = false;
  pty.onData((data) => {
    options.onData(data as unknown as Uint8Array);
  });
  pty.onExit(({ exitCode, signal }) => {
    exited = true;
    input.close();
    const name = signalName(signal);
    const exit: ProcessExit = { code: name === null ? exitCode : null, signal: name };
    options.onExit(exit);
  });
  return {
    pid: pty.pid,
    device: pty.ptsName,
    write: (bytes) => input.write(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes),
    dropInput: () => input.drop(),
    endInput() {
      // A terminal has no end of input of its own.
    },
    resize(size) {
      if (!exited) pty.resize(size.cols, size.rows);
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    close() {
      input.close();
      if (!exited) pty.destroy();
    },
  };
}

function spawn(options: TerminalOptions): UnixPty {
  const { cwd, size } = options;
  const { command, env } = withOwnDescriptors(options);
  const [file = '', ...args] = command;
  try {
    const pty = nodePty.spawn(file, args, {
      name: env['TERM'] ?? 'xterm-256color',
      cwd,
      env: { ...env },
      ...size,
      encoding: null,
    });
    return pty as UnixPty;
  } catch (error) {
    throw new SemoError(
      'agent_start_failed',
      `No terminal could be opened for ${options.command[0]}: ${SemoError.from(error).message}`,
      { cause: error },
    );
  }
}
