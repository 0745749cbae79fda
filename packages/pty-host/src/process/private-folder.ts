import { randomUUID } from 'node:crypto';
import { chmod, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What a folder is called while it is being removed; whoever finds one may finish the removal. */
const DISCARDED = '.gone-';

/**
 * Removes a folder with everything in it, also what a program has made read-only (as package caches are). Links are
 * removed, never followed.
 */
export async function removePrivateFolder(path: string): Promise<void> {
  // A process that is just ending may still write: the removal is tried again for about a second.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 };
  await rm(path, options).catch(async () => {
    await makeWritable(path);
    await rm(path, options);
  });
}

/**
 * Removes a folder that others watch: it is gone from its place at once, not file by file, so that nobody ever sees half of
 * it (its record gone, the rest still there) and takes that for damage.
 */
export async function discardPrivateFolder(path: string): Promise<void> {
  const discarded = join(dirname(path), `${DISCARDED}${basename(path)}-${randomUUID()}`);
  try {
    await rename(path, discarded);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    // A folder that cannot be moved, such as one with something mounted in it, can still be emptied.
    return removePrivateFolder(path);
  }
  await removePrivateFolder(discarded);
}

/** Whether that is the name of a folder whose removal was begun, and maybe cut short. */
export function isDiscarded(name: string): boolean {
  return name.startsWith(DISCARDED);
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
