import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';

const userSchema = z.object({
  sessionId: z.string(),
  at: z.enum(['worktree', 'config_home']),
  path: z.string(),
  /** Its block: with the last user gone, the one before gets its own again. */
  block: z.string(),
});

const folderSchema = z.object({
  users: z.array(userSchema),
  /** The file, and the folder around it, were not there before us. */
  fileMade: z.boolean(),
  folderMade: z.boolean(),
  /** The ignore pattern that hides the file, if one of ours does. */
  pattern: z.string().nullable(),
});

const registrySchema = z.object({
  folders: z.record(z.string(), folderSchema),
  patterns: z.record(z.string(), z.object({ fileMade: z.boolean(), lineEndAdded: z.boolean() })),
});

/** Who uses which persona file; kept on disk, beside and never inside the worktrees, so that it survives a crash. */
export type PersonaRegistry = z.infer<typeof registrySchema>;
/** One working folder in a {@link PersonaRegistry}. */
export type PersonaFolder = z.infer<typeof folderSchema>;

/** Where the registry of a folder is: with its repository, which all hosts share, or in our own state. */
export function registryPath({
  commonFolder,
  stateDir,
  folder,
}: {
  commonFolder: string | null;
  stateDir: string;
  folder: string;
}): string {
  if (commonFolder !== null) return join(commonFolder, 'semo', 'personas.json');
  return join(stateDir, 'personas', `${createHash('sha256').update(folder).digest('hex').slice(0, 16)}.json`);
}

/** Reads it; one that is missing or damaged is an empty one: blocks are found by their marks all the same. */
export async function loadRegistry(path: string): Promise<PersonaRegistry> {
  try {
    return registrySchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return { folders: {}, patterns: {} };
  }
}

/** Writes it at once; an empty one is removed. */
export async function saveRegistry(path: string, registry: PersonaRegistry): Promise<void> {
  if (Object.keys(registry.folders).length === 0 && Object.keys(registry.patterns).length === 0) {
    await rm(path, { force: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  await writeFile(temporary, JSON.stringify(registry), { mode: 0o600 });
  await rename(temporary, path);
}

/** Removes the registry's folder when nothing is left in it. */
export async function removeEmptyRegistryFolder(path: string): Promise<void> {
  await rmdir(dirname(path)).catch(() => {});
}
