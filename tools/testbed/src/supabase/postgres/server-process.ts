import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { ServerAccount } from './server-account.ts';

/** A folder that holds one server: its data, its socket, its process. */
export interface ServerPlace {
  /** Short, for sockets have short names; private to the account. */
  readonly folder: string;
  readonly postgres: string;
  readonly account: ServerAccount;
}

/**
 * Nothing here has to survive a crash, and decoding is what Realtime lives on. Commits stay synchronous: decoding waits
 * for the log to be written, which would otherwise happen only every 200 ms.
 */
const settings: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'logical',
  max_wal_senders: '8',
  max_replication_slots: '8',
  max_connections: '100',
  shared_buffers: '32MB',
  TimeZone: 'UTC',
  log_line_prefix: '',
};

const stopPatienceMs = 5_000;
const readyLine = /database system is ready to accept connections/;

/**
 * Ends the server and removes its folder when whoever started it is gone without having done so, even by SIGKILL: the
 * guard's standard input ends then. What runs under the server's id is asked of `ps`, for ids are given again.
 */
const guardScript = `
alive() { case "$(ps -o args= -p "$1")" in *"$2"*) true ;; *) false ;; esac; }
read -r _
alive "$@" && kill -QUIT "$1" && kill -CONT "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do alive "$@" || break; sleep 0.1; done
rm -rf "$2"
`;

type ServerChild = ChildProcessByStdio<null, null, Readable>;
type GuardChild = ChildProcessByStdio<Writable, null, null>;

/** A running server process. */
export class ServerProcess {
  readonly #server: ServerChild;
  readonly #guard: GuardChild;
  #paused = false;

  private constructor(server: ServerChild, guard: GuardChild) {
    this.#server = server;
    this.#guard = guard;
  }

  /**
   * Starts it, and waits until it takes connections.
   * @throws Error with the end of its log when it does not start, for example because the port was taken meanwhile.
   */
  static async start(place: ServerPlace, port: number): Promise<ServerProcess> {
    const data = join(place.folder, 'data');
    const options = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: place.folder };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(place.postgres, ['-D', data, '-p', String(port), ...flags], {
      ...place.account,
      cwd: place.folder,
      // A group of its own: Ctrl-C in a terminal is for us, and we stop the server in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(server, 'spawn');
    const guard = spawn('/bin/sh', ['-c', guardScript, 'guard', String(server.pid), place.folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guard.stdin.on('error', () => undefined);
    const running = new ServerProcess(server, guard);
    try {
      await running.#ready();
    } catch (error) {
      guard.kill('SIGKILL');
      throw error;
    }
    return running;
  }

  /** Stops the world: connections stay open, and nothing answers. */
  pause(): void {
    this.#paused = true;
    this.#server.kill('SIGSTOP');
    // The children, one for each connection, are sessions of their own; with their parent stopped no new one comes.
    signalChildren(this.#server, 'SIGSTOP');
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    signalChildren(this.#server, 'SIGCONT');
    this.#server.kill('SIGCONT');
  }

  /** Ends it, and keeps its folder. Connections are cut, as by `pg_ctl stop -m fast`. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
    this.#guard.kill('SIGKILL');
  }

  /** Ends it at once, and removes its folder. Until both is done, the guard would do it instead. */
  async remove(): Promise<void> {
    await this.#end('SIGQUIT');
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return;
    this.#guard.ref();
    const done = once(this.#guard, 'exit');
    this.#guard.stdin.end();
    await done;
  }

  /** After a while it is ended at once in any case. */
  async #end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    this.resume();
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    this.#server.ref();
    const exited = once(this.#server, 'exit');
    this.#server.kill(signal);
    const impatience = setTimeout(() => this.#server.kill('SIGQUIT'), stopPatienceMs);
    await exited;
    clearTimeout(impatience);
  }

  async #ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const log: string[] = [];
    createInterface({ input: this.#server.stderr })
      .on('line', (line) => {
        log.push(line);
        if (log.length > 50) log.shift();
        if (readyLine.test(line)) resolve();
      })
      .on('close', () => reject(new Error(`PostgreSQL did not start:\n${log.join('\n')}`)));
    await promise;
    this.#unref();
  }

  /** Lets our process end while the server runs; the guard ends the server then. */
  #unref(): void {
    this.#server.unref();
    this.#guard.unref();
    for (const pipe of [this.#server.stderr, this.#guard.stdin]) (pipe as Socket).unref();
  }
}

function signalChildren(server: ServerChild, signal: NodeJS.Signals): void {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  for (const line of table.split('\n')) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (pid === undefined || parent !== server.pid) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended since.
    }
  }
}
