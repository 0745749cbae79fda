import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, type TemporaryFolder } from '@semo-office/testbed';

const CHUNK_BYTES = 8_000_000;

/** A program that waits for a line and then prints much, as fast as it can. */
export interface Flood extends AsyncDisposable {
  readonly command: readonly [string, ...string[]];
  /** What arrives: the terminal makes two bytes of each line end, and echoes the line that set it off. */
  readonly bytes: number;
}

/** Lines as a build prints them: text, some colour, a few characters beyond ASCII. */
function linesOfOutput(bytes: number): string[] {
  const lines: string[] = [];
  for (let length = 0, number = 0; length < bytes; number += 1) {
    const colour = number % 4 === 0 ? '\u001b[32mok\u001b[0m' : 'ok';
    const name = number % 16 === 0 ? '파일/모듈.ts' : 'src/module/part.ts';
    const line = `[${String(number).padStart(6, '0')}] ${colour} ${name} compiled without a word in ${number % 97} ms, next`;
    lines.push(line);
    length += Buffer.byteLength(line) + 2;
  }
  return lines;
}

/** Makes a {@link Flood} of about so many bytes. `cat` prints a file that is in memory: nothing is faster. */
export async function createFlood(bytes: number): Promise<Flood> {
  const folder: TemporaryFolder = await temporaryFolder('semo-bench-flood-');
  const file = join(folder.path, 'output.txt');
  const lines = linesOfOutput(Math.min(bytes, CHUNK_BYTES));
  const chunk = Buffer.from(`${lines.join('\n')}\n`);
  await writeFile(file, chunk);
  const chunkBytes = chunk.byteLength + lines.length;
  const times = Math.max(1, Math.round(bytes / chunkBytes));
  const files = Array.from({ length: times }, () => file);
  return {
    command: ['/bin/sh', '-c', 'read -r go; exec cat "$@"', 'flood', ...files],
    bytes: chunkBytes * times,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
