import { spawn } from 'node:child_process';
import { chmod, mkdir, rm, rmdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SemoError, systemClock, type Clock } from '@semo-office/core';

import { withFileLock } from '../../file-lock.ts';
import { findProgram } from '../../program-path.ts';

/** The one tmux session of a host: each agent is a window of it, so that whoever attaches sees them all as tabs. */
export const TMUX_SESSION = 'semo';
/** Linux takes 107 bytes for the path of a socket, macOS 103. */
const MAX_SOCKET_BYTES = process.platform === 'darwin' ? 103 : 107;
/** The first that tells the signal a pane's process died of. */
const OLDEST = [3, 3] as const;
/** A server that has lost its last window is gone within milliseconds, unless the machine is very busy. */
const GONE_WITHIN_MS = 3000;
const LOOK_AGAIN_MS = 10;

/** What tmux is asked: commands of one list are carried out without anything in between. */
export type TmuxCommand = readonly string[];

/** tmux refused a command. */
export class TmuxRefusal extends Error {
  /** Whether there is no server to ask, or not any more. */
  get noServer(): boolean {
    return this.noSocket || /error connecting|server exited|lost server/.test(this.message);
  }
  /** Whether nobody listens there. */
  get noSocket(): boolean {
    return /no server running|No such file/.test(this.message);
  }
  /** Whether the session, window or pane is not there. */
  get notFound(): boolean {
    return /can't find|no current|no such/.test(this.message);
  }
}

/** Options of {@link openTmuxServer}. */
export interface TmuxServerOptions {
  /** The host's folder; the server's own is `tmux` in it. */
  readonly stateDir: string;
  /** Where programs are looked for. Default: this process's `PATH`. */
  readonly path?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** A private tmux server: nobody else's sessions are in it, and no configuration of the user. It need not run yet. */
export interface TmuxServer {
  readonly socket: string;
  /** What to run to see its windows. */
  readonly attachCommand: string;
  /** Carries out commands and gives what they print. @throws TmuxRefusal */
  run(commands: readonly TmuxCommand[], input?: Uint8Array): Promise<string>;
  /** Runs what may start the server, alone among all hosts of the folder. */
  starting<Result>(start: () => Promise<Result>): Promise<Result>;
  /** Once it has no window left: waits until the server is gone and removes its folder. */
  leave(): Promise<void>;
}

/**
 * Finds tmux and gives the server of a host's folder.
 *
 * @throws SemoError `terminal_unavailable` when tmux is missing or too old, or the folder's path is too long.
 */
export async function openTmuxServer({
  stateDir,
  path = process.env['PATH'] ?? '',
  clock = systemClock,
}: TmuxServerOptions): Promise<TmuxServer> {
  const program = findProgram('tmux', path.split(delimiter));
  if (program === null) throw unavailable('tmux is not installed. Install it (3.3 or newer), or use plain terminals.');
  const folder = join(stateDir, 'tmux');
  const socket = join(folder, 'socket');
  if (Buffer.byteLength(socket) > MAX_SOCKET_BYTES) {
    throw unavailable(
      `${socket} is too long for a socket, which may have ${MAX_SOCKET_BYTES} bytes. Use a shorter stateDir.`,
    );
  }
  const env = serverEnvironment(path);
  const version = await call({ program, args: ['-V'], env });
  if (isOlder(version)) throw unavailable(`${program} is ${version.trim()}; ${OLDEST.join('.')} or newer is needed.`);
  return new Server({ program, folder, socket, env, clock });
}

/** The server hands its environment on to what it starts; nothing of ours belongs there. tmux itself wants UTF-8. */
function serverEnvironment(path: string): Record<string, string> {
  return { PATH: path, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', SHELL: '/bin/sh' };
}

interface ServerParts {
  readonly program: string;
  readonly folder: string;
  readonly socket: string;
  readonly env: Environment;
  readonly clock: Clock;
}

class Server implements TmuxServer {
  readonly socket: string;
  readonly attachCommand: string;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #call: (args: readonly string[], input?: Uint8Array) => Promise<string>;

  constructor({ program, folder, socket, env, clock }: ServerParts) {
    this.socket = socket;
    this.#clock = clock;
    this.attachCommand = `${program} -S ${quoted(socket)} attach -t ${TMUX_SESSION}`;
    this.#folder = folder;
    this.#call = (args, input) => call({ program, args: ['-u', '-f', '/dev/null', '-S', socket, ...args], env, input });
  }

  run(commands: readonly TmuxCommand[], input?: Uint8Array): Promise<string> {
    return this.#call(
      commands.flatMap((command, at) => (at === 0 ? command : [';', ...command])),
      input,
    );
  }

  starting<Result>(start: () => Promise<Result>): Promise<Result> {
    return this.#alone(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await chmod(this.#folder, 0o700);
      return start();
    });
  }

  leave(): Promise<void> {
    // While it ends nobody may start it: its last act would be somebody else's first.
    return this.#alone(async () => {
      const until = this.#clock.now() + GONE_WITHIN_MS;
      while (this.#clock.now() < until) {
        const state = await this.#state();
        if (state === 'gone') {
          await rm(this.socket, { force: true });
          await rmdir(this.#folder).catch(() => undefined);
          return;
        }
        if (state === 'in_use') return;
        await new Promise<void>((resolve) => void this.#clock.schedule(LOOK_AGAIN_MS, resolve));
      }
    });
  }

  async #state(): Promise<'gone' | 'in_use' | 'ending'> {
    try {
      return (await this.run([['list-windows', '-a', '-F', '#{window_id}']])) === '' ? 'ending' : 'in_use';
    } catch (thrown) {
      return thrown instanceof TmuxRefusal && thrown.noSocket ? 'gone' : 'ending';
    }
  }

  #alone<Result>(action: () => Promise<Result>): Promise<Result> {
    return withFileLock(`${this.#folder}.lock`, action);
  }
}

type Environment = Readonly<Record<string, string>>;

interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly input?: Uint8Array | undefined;
}

async function call({ program, args, env, input }: Call): Promise<string> {
  // The server takes the folder it is started in, and would keep it from being removed.
  const child = spawn(program, args, { env, cwd: '/', stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  ended.catch(() => undefined);
  // A client that ends early does not take all of it; its status says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [out, error, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (status !== 0) throw new TmuxRefusal(error.trim() || `tmux ended with status ${status}`);
  return out;
}

function unavailable(message: string): SemoError {
  return new SemoError('terminal_unavailable', message);
}

/** A version that cannot be read (`next-3.6`, `master`) is taken to be new. */
function isOlder(version: string): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return false;
  const [oldMajor, oldMinor] = OLDEST;
  return Number(major) < oldMajor || (Number(major) === oldMajor && Number(minor) < oldMinor);
}

/** A word as `sh` reads it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
