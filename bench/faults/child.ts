import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of a run, which ends with us. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves with its first word. @throws Error when it ends before. */
  readonly ready: Promise<void>;
  /** Ends it at once, also one that stands still; resolves when it is gone. */
  kill(): Promise<void>;
  /** The newest of what it has said on its error output. */
  said(): string;
}

/** Starts a file of this folder on our sources. */
export function startChild(file: string, argument: object): Child {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const gone = once(child, 'exit');
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4000)));
  const ready = Promise.race([
    once(child, 'message').then(() => undefined),
    gone.then(() => Promise.reject(new Error(`${file} ended before it said anything. ${said}`))),
  ]);
  ready.catch(() => undefined);
  return {
    process: child,
    ready,
    said: () => said,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
