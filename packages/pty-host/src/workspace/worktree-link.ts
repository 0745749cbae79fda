import { mkdir, readlink, realpath, rmdir, stat, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';

import { SemoError } from '@semo-office/core';

/** A symbolic link below the root of the worktrees, and the worktree it leads to. */
interface WorktreeLink {
  readonly link: string;
  /** The worktree's folder, absolute. */
  readonly path: string;
  readonly root: string;
}

/** Makes the folders above a path; gives the path with their symbolic links resolved. */
export async function makeParents(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  return join(await realpath(dirname(path)), basename(path));
}

/**
 * Makes the link; one that leads there already will do.
 *
 * @throws SemoError `git_failed` when there is something else.
 */
export async function makeLink(wanted: WorktreeLink): Promise<void> {
  const { link, path, root } = wanted;
  if (await leadsTo(link, path)) return;
  await clearDeadLink(link, root);
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(dirname(link), { recursive: true });
    try {
      await symlink(path, link);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EEXIST') throw somethingThere(link);
      // Whoever removed the last folder beside it has removed the empty ones above, maybe just now.
      if (code !== 'ENOENT' || attempt === 10) throw error;
    }
  }
}

/** Removes the link if it leads to that worktree, and the folders above that are empty then. */
export async function removeLink({ link, path, root }: WorktreeLink): Promise<void> {
  if (!(await leadsTo(link, path))) return;
  await unlink(link).catch(() => {});
  await removeEmptyParents(link, root);
}

/** A link that led to a worktree of ours which somebody has removed by hand stands in nobody's way. */
export async function clearDeadLink(link: string, root: string): Promise<void> {
  const target = await readlink(link).catch(() => null);
  if (target?.startsWith(root + sep) !== true) return;
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (!isThere) await unlink(link).catch(() => {});
}

/** Removes the folders above a path that are empty, up to and with `root`. */
export async function removeEmptyParents(path: string, root: string): Promise<void> {
  for (let folder = dirname(path); !relative(root, folder).startsWith('..'); folder = dirname(folder)) {
    // Not empty, or another one's just now: somebody else will remove it.
    if (
      await rmdir(folder).then(
        () => false,
        () => true,
      )
    )
      return;
  }
}

/** The error for a name that is taken. */
export function somethingThere(path: string): SemoError {
  return new SemoError(
    'git_failed',
    `There is something at ${path} already. Remove it, take it up (takeUp), or choose another taskId.`,
    { details: { path } },
  );
}

async function leadsTo(link: string, path: string): Promise<boolean> {
  return (await readlink(link).catch(() => null)) === path;
}
