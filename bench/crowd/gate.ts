import { constants } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Something that programs wait for without taking any time of the processor. */
export interface Gate {
  /** Whoever reads this file waits until the gate is open. */
  readonly path: string;
  open(): Promise<void>;
}

/** Makes a gate: a pipe with a name, that becomes an empty file. Somebody must wait when it is opened. */
export async function makeGate(folder: string): Promise<Gate> {
  const path = join(folder, 'gate');
  await promisify(execFile)('mkfifo', [path]);
  return {
    path,
    async open() {
      const pipe = await open(path, constants.O_WRONLY);
      await writeFile(`${path}.open`, '');
      await rename(`${path}.open`, path);
      await pipe.close();
    },
  };
}
