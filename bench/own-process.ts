import { fork } from 'node:child_process';
import { join } from 'node:path';

/** A file of this folder whose `task` can be run in a process of its own. */
export type TaskFile = 'idle-terminals.ts' | 'unread-flood.ts' | 'measure-one.ts';

/** Runs a file's `task` with data in a fresh process, where nothing measured earlier is in the way. */
export async function inOwnProcess<Result>(file: TaskFile, input: unknown): Promise<Result> {
  const child = fork(join(import.meta.dirname, 'task-process.ts'), [file, JSON.stringify(input)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const result = Promise.withResolvers<Result>();
  child.on('message', (message) => {
    result.resolve(message as Result);
  });
  child.on('error', result.reject);
  child.on('exit', (code) => {
    result.reject(new Error(`${file} ended with status ${code} and without a result.`));
  });
  return result.promise;
}
