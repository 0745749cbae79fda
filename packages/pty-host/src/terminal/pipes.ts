import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { SemoError } from '@semo-office/core';

import { withOwnDescriptors } from './own-descriptors.ts';
import type { Terminal, TerminalOptions } from './terminal.ts';

/** A process that left its pipes to a descendant is not waited for longer than this, as node-pty does with terminals. */
const DRAIN_MS = 200;

/**
 * Starts a process on plain pipes; its standard output and error come as one stream unless
 * `onErrorData` wants the latter apart. It leads its own group and session.
 *
 * @throws SemoError `agent_start_failed`.
 */
export function openPipes(options: TerminalOptions): Terminal {
  const { command, env } = withOwnDescriptors(options);
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd: options.cwd, env, detached: true, stdio: 'pipe' });
  if (child.pid === undefined) {
    // Spawning failed; the reason comes as an `error` event that must not go unheard.
    child.on('error', () => undefined);
    throw new SemoError('agent_start_failed', `${options.command[0]} could not be started.`);
  }
  child.stdout.on('data', options.onData);
  child.stderr.on('data', options.onErrorData ?? options.onData);
  reportExit(child, options);
  // Writing to a process that has gone fails here (EPIPE) and in the write's own callback; the latter tells the caller.
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid,
    device: null,
    write: (bytes) => writeTo(child, bytes),
    dropInput: () => false,
    endInput: () => child.stdin.end(),
    resize() {
      // Pipes have no size.
    },
    pause() {
      child.stdout.pause();
      child.stderr.pause();
    },
    resume() {
      child.stdout.resume();
      child.stderr.resume();
    },
    close() {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

function reportExit(child: ChildProcessWithoutNullStreams, { onExit }: TerminalOptions): void {
  let reported = false;
  const report = (code: number | null, signal: string | null) => {
    if (reported) return;
    reported = true;
    onExit({ code, signal });
  };
  child.on('error', () => {
    report(null, null);
  });
  child.on('exit', (code, signal) => {
    const timer = setTimeout(() => {
      // Whoever holds back the reading is still to get what is in the pipe.
      if (child.stdout.isPaused()) {
        timer.refresh();
        return;
      }
      child.stdout.destroy();
      child.stderr.destroy();
      report(code, signal);
    }, DRAIN_MS);
    child.on('close', () => {
      clearTimeout(timer);
      report(code, signal);
    });
  });
}

function writeTo(child: ChildProcessWithoutNullStreams, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!child.stdin.writable) reject(new SemoError('session_terminated', 'The agent takes no more input.'));
    else {
      child.stdin.write(bytes, (error) => {
        if (error)
          reject(new SemoError('session_terminated', 'The agent has ended; it takes no more input.', { cause: error }));
        else resolve();
      });
    }
  });
}
