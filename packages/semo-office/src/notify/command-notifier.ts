import { spawn, type ChildProcess } from 'node:child_process';
import { SemoError, systemClock, type Clock, type Notice, type Notifier } from '@semo-office/core';

/** Options of {@link commandNotifier}. */
export interface CommandNotifierOptions {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  /** Variables of its environment beside `PATH`, `HOME`, `LANG` and `TZ`. Default none. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** How long it may take, in milliseconds; then it is killed with all it started. Default 10 000. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

const HANDED_ON = ['PATH', 'HOME', 'LANG', 'TZ'];
const COMPLAINT_CHARACTERS = 500;

/**
 * Runs a program for each notice, which it finds as one line of JSON on its standard input (see `noticeSchema`).
 *
 * @throws SemoError `invalid_argument`: no program is named.
 * @example
 * ```ts
 * const notifier = commandNotifier({ command: ['notify-send', 'semo'] });
 * ```
 */
export function commandNotifier(options: CommandNotifierOptions): Notifier {
  const [program = '', ...args] = options.command;
  if (program === '') throw new SemoError('invalid_argument', 'Name the program that is to tell people.');
  const { timeoutMs = 10_000, clock = systemClock } = options;
  const env = { ...handedOn(), ...options.environment };
  return {
    async notify(notice, { signal }) {
      if (signal.aborted) throw failed('there was no more time');
      // A group of its own, so that all of it can be ended.
      const child = spawn(program, args, { env, detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
      const limit = new AbortController();
      const cancelLimit = clock.schedule(timeoutMs, () => limit.abort());
      const until = AbortSignal.any([signal, limit.signal]);
      const kill = () => endGroup(child);
      until.addEventListener('abort', kill, { once: true });
      try {
        await run(child, notice);
      } catch (thrown) {
        throw limit.signal.aborted ? failed(`it took longer than ${timeoutMs} ms`) : thrown;
      } finally {
        cancelLimit();
        until.removeEventListener('abort', kill);
        kill();
      }
    },
  };
}

function handedOn(): Record<string, string> {
  return Object.fromEntries(
    HANDED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function run(child: ChildProcess, notice: Notice): Promise<void> {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-COMPLAINT_CHARACTERS);
  });
  // A program that does not care for its input may be gone before it is written.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(`${JSON.stringify(notice)}\n`);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(failed(`it could not be started (${error.message})`)));
    // Not `close`: what it started may hold its standard error for ever.
    child.once('exit', (code, signal) => {
      if (code === 0) return resolve();
      const how = signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`;
      reject(failed(complaint.trim() === '' ? how : `${how}: ${complaint.trim()}`));
    });
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

function failed(why: string): SemoError {
  return new SemoError('notify_failed', `The program that tells people failed: ${why}.`);
}
