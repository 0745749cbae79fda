import { lstat, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { tryGit } from '../workspace/git-command.ts';
import { commonGitFolder } from '../workspace/git-facts.ts';
import { registryPath } from './persona-registry.ts';
import { unsafe } from './pinned-folder.ts';

/** Where Claude Code looks for instructions in a folder, beside `CLAUDE.md` itself. */
export const FOLDER = '.claude';
export const FILE = 'CLAUDE.md';

/** A working folder (absolute, symbolic links resolved), and the repository around it. */
export interface Site {
  readonly folder: string;
  readonly commonFolder: string | null;
  readonly registryFile: string;
}

/** Looks at a folder; `null` when there is none. */
export async function siteOf(path: string, stateDir: string): Promise<Site | null> {
  const folder = await realpath(path).catch(() => null);
  if (folder === null) return null;
  const inside = await tryGit({ cwd: folder, args: ['rev-parse', '--is-inside-work-tree'] });
  const commonFolder = inside.stdout.trim() === 'true' ? await commonGitFolder(folder) : null;
  return { folder, commonFolder, registryFile: registryPath({ commonFolder, stateDir, folder }) };
}

/** Git tracks the file, or cannot be kept from seeing a change of it because it really is another one. */
export async function mustGoHome({ folder, commonFolder }: Site): Promise<boolean> {
  for (const name of [FOLDER, join(FOLDER, FILE)]) {
    const path = join(folder, name);
    const isLink = await lstat(path).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    );
    if (!isLink) continue;
    const real = await realpath(path).catch((error: unknown) => {
      throw unsafe(path, error);
    });
    if (!real.startsWith(folder + sep)) throw unsafe(path);
    return true;
  }
  if (commonFolder === null) return false;
  return (await tryGit({ cwd: folder, args: ['ls-files', '--error-unmatch', '--', `${FOLDER}/${FILE}`] })).status === 0;
}
