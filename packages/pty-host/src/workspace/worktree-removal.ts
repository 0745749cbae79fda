import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { tryGit } from './git-command.ts';
import { commonGitFolder, looseWork } from './git-facts.ts';
import type { HeldBranch, MadeWorktree, WorktreeRemoval } from './made-worktree.ts';
import { withRepositoryLock } from './repository-lock.ts';
import { removeEmptyParents, removeLink } from './worktree-link.ts';

/** Options of {@link removeWorktree}. */
export interface WorktreeRemovalOptions {
  /** Of one that is retained for its commits: those that another branch has by now need no more looking at. Default false. */
  readonly unlessMerged?: boolean | undefined;
  /** One more reason to keep it; asked while nobody can take the worktree up. */
  readonly alsoKeptFor?: (() => Promise<string | null>) | undefined;
}

/**
 * Takes a worktree away that `addWorktree` or `addSlot` made, if nothing would be lost by it. Files that git ignores count
 * for nothing. Its branch is deleted if it is ours and nothing was committed on it. Doing so twice is harmless.
 */
export async function removeWorktree(
  worktree: MadeWorktree,
  options: WorktreeRemovalOptions = {},
): Promise<WorktreeRemoval> {
  const { repository, path } = worktree;
  const kept = (reason: string): WorktreeRemoval => ({ kind: 'kept', path, reason });
  // Asked again: it may be gone by now.
  const common = await commonGitFolder(repository).catch(() => null);
  if (common === null) return kept(`Its repository ${repository} is gone.`);
  const isThere = await exists(path);
  const isEmpty = isThere && (await wasNeverCheckedOut(path));
  if (isThere && !isEmpty) {
    const reason = (await looseWork(path, worktree.baseCommit))?.reason ?? (await reasonToRetain(worktree, options));
    if (reason !== null) return kept(reason);
  }
  return withRepositoryLock(common, async () => {
    const reason = (await options.alsoKeptFor?.()) ?? null;
    if (reason !== null) return kept(reason);
    // Where the folder is gone, not `prune`, which would forget other people's worktrees too, such as one on a disk that is
    // not there just now.
    const args = ['worktree', 'remove', ...(isEmpty ? ['--force'] : []), path];
    const removal = await tryGit({ cwd: repository, args });
    if (isThere && removal.status !== 0 && (await exists(path)))
      return kept(`git would not remove it: ${removal.stderr.trim()}`);
    await removeEmptyParents(path, worktree.root);
    return { kind: 'removed', branch: await tidyUp(worktree) };
  });
}

/**
 * Deletes the branch if it is ours and nothing was committed on it, and removes the link; only while the worktree is not on
 * that branch any more.
 */
export async function letGoOf(worktree: MadeWorktree, { link, ...held }: HeldBranch): Promise<'kept' | 'deleted'> {
  const { repository, path, root } = worktree;
  if (link !== null) await removeLink({ link, path, root });
  return (await deleteUnusedBranch(repository, held)) ? 'deleted' : 'kept';
}

async function tidyUp(worktree: MadeWorktree): Promise<'kept' | 'deleted'> {
  for (const held of worktree.former) await letGoOf(worktree, held);
  const { branch, link } = worktree;
  if (branch !== null) return letGoOf(worktree, { ...worktree, branch, link });
  return 'kept';
}

async function reasonToRetain(
  { retain, reused, path, baseCommit, branch }: MadeWorktree,
  { unlessMerged = false }: WorktreeRemovalOptions,
): Promise<string | null> {
  if (reused) return 'It was there before.';
  if (retain === 'dirty') return null;
  const elsewhere = unlessMerged ? [...(branch === null ? [] : [`--exclude=${branch}`]), '--branches'] : [];
  const made = await tryGit({
    cwd: path,
    args: ['rev-list', '--count', 'HEAD', '--not', baseCommit, ...elsewhere],
  });
  return made.stdout.trim() === '0' ? null : `It has ${made.stdout.trim()} commits to look at.`;
}

async function deleteUnusedBranch(
  repository: string,
  { branch, baseCommit, branchMade }: Omit<HeldBranch, 'link'>,
): Promise<boolean> {
  if (!branchMade) return false;
  const ahead = await tryGit({ cwd: repository, args: ['rev-list', '--count', `${baseCommit}..refs/heads/${branch}`] });
  if (ahead.status !== 0 || ahead.stdout.trim() !== '0') return false;
  // Refused while the branch is checked out somewhere else, which is as it should be.
  return (await tryGit({ cwd: repository, args: ['branch', '--quiet', '-D', '--', branch] })).status === 0;
}

/**
 * A worktree whose making was cut short, by a crash between naming and filling it: nothing in it but git's own file, and no
 * index. To git all its files look deleted.
 */
async function wasNeverCheckedOut(path: string): Promise<boolean> {
  const names = await readdir(path).catch(() => []);
  if (names.length !== 1 || names[0] !== '.git') return false;
  const pointer = await readFile(join(path, '.git'), 'utf8').catch(() => '');
  const folder = /^gitdir: (.+)$/m.exec(pointer)?.[1];
  if (folder === undefined || !(await exists(folder))) return false;
  return !(await exists(join(folder, 'index')));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
