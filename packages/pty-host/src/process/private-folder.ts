import { randomUUID } from 'node:crypto';
import { chmod, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Removes a folder with everything in it, also what a program has made read-only (as package caches are). Links are
 * removed, never followed. It loses its name first: a sweep that came upon half of it would take it for a broken one.
 */
export async function removePrivateFolder(folder: string): Promise<void> {
  // Named as an unfinished claim of nobody is, which any sweep removes.
  const doomed = join(dirname(folder), `.claim-${process.pid}-0-${randomUUID()}`);
  const path = await rename(folder, doomed).then(
    () => doomed,
    () => folder,
  );
  // A process that is just ending may still write: the removal is tried again for about a second.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 };
  await rm(path, options).catch(async () => {
    await makeWritable(path);
    await rm(path, options);
  });
}

/** Removes folders that are empty, the innermost first, up to the first that is not. */
export async function removeEmptyFolders(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (
      await rmdir(path).then(
        () => false,
        () => true,
      )
    )
      return;
  }
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => {});
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}
