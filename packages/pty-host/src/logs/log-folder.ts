import { chmodSync, mkdirSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { ResolvedLogOptions } from './log-options.ts';

/** Makes the folder, if need be, and lets nobody else in. @throws what the system says. */
export function openLogFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}

interface LogFile {
  readonly path: string;
  readonly bytes: number;
  readonly writtenAt: number;
}

/** Removes what is too old, then the oldest until the rest is small enough. Only files called `*.log` count. */
export async function pruneLogs({ dir, maxAgeMs, maxTotalBytes }: ResolvedLogOptions, now: number): Promise<void> {
  const files = await logFiles(dir);
  for (const { path } of surplus(files, { now, maxAgeMs, maxTotalBytes })) await rm(path, { force: true });
}

/** The files to be removed. Pure. */
function surplus(
  files: readonly LogFile[],
  { now, maxAgeMs, maxTotalBytes }: { now: number; maxAgeMs: number; maxTotalBytes: number },
): LogFile[] {
  let total = 0;
  return files
    .toSorted((one, other) => other.writtenAt - one.writtenAt)
    .filter(({ bytes, writtenAt }) => {
      total += bytes;
      return now - writtenAt > maxAgeMs || total > maxTotalBytes;
    });
}

async function logFiles(dir: string): Promise<LogFile[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.log'));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      // Another host of the same folder may have removed it.
      const stat = await lstat(path).catch(() => null);
      return stat?.isFile() === true ? [{ path, bytes: stat.size, writtenAt: stat.mtimeMs }] : [];
    }),
  );
  return found.flat();
}
