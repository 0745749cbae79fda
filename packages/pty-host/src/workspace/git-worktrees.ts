import { existsSync } from 'node:fs';
import { mkdir, realpath, rmdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

import { SemoError } from '@semo-office/core';
import { z } from 'zod';

import { KeyedMutex } from '../keyed-mutex.ts';
import { git, tryGit } from './git-command.ts';
import { worktreeRefusal } from './worktree-refusal.ts';

/** A worktree that we made, with all that is needed to take it away again, also by another process after a crash. */
export const madeWorktreeSchema = z.object({
  /** The repository it belongs to. */
  repository: z.string(),
  /** Where it is: absolute, symbolic links resolved. */
  path: z.string(),
  /** Folders above it that are removed with it when empty end here. */
  root: z.string(),
  branch: z.string(),
  /** The commit it began at. */
  baseCommit: z.string(),
  /** Whether the branch is ours too. */
  branchMade: z.boolean(),
  /** What keeps it: only what is not committed, or commits too. */
  retain: z.enum(['dirty', 'changed']).default('dirty'),
  /** Whether it was there already, kept from a session before: then others may be at home in it. */
  reused: z.boolean().default(false),
});

/** See {@link madeWorktreeSchema}. */
export type MadeWorktree = z.infer<typeof madeWorktreeSchema>;

/** What became of a worktree. `kept` says why in a sentence; nothing that could be work is ever removed. */
export type WorktreeRemoval =
  | { readonly kind: 'removed'; readonly branch: 'kept' | 'deleted' }
  | { readonly kind: 'kept'; readonly path: string; readonly reason: string };

/** Which worktree to make. */
export interface WorktreeRequest {
  readonly repository: string;
  /** Folder for all worktrees, made if missing. */
  readonly root: string;
  /** The worktree's folder; must not exist yet. */
  readonly path: string;
  readonly branch: string;
  readonly base: string;
  /** See `retain` of core's workspace. A worktree kept by `changed` is taken up again by the next session on its branch. */
  readonly retain?: 'dirty' | 'changed' | undefined;
  /** Is told what will be made before it is, to write it down: a crash in between then leaves nothing unknown. */
  readonly announce?: ((worktree: MadeWorktree) => Promise<void>) | undefined;
}

// git's own locks make concurrent calls on one repository fail where waiting would do.
const perRepository = new KeyedMutex();

/**
 * Makes a worktree on a new branch from `base`, or on the branch if it exists and is checked out nowhere.
 *
 * @throws SemoError `invalid_argument` for a branch name git refuses, `git_failed` with what to do; git's own words are
 * in `details.stderr`.
 */
export async function addWorktree(request: WorktreeRequest): Promise<MadeWorktree> {
  try {
    return await makeWorktree(request);
  } catch (error) {
    throw worktreeRefusal(error, request);
  }
}

async function makeWorktree(request: WorktreeRequest): Promise<MadeWorktree> {
  const { repository, branch } = request;
  const common = await commonGitFolder(repository);
  await checkBranchName(repository, branch);
  return perRepository.run(common, async () => {
    const worktree = await planWorktree(request);
    const { path, baseCommit, branchMade, reused } = worktree;
    const what = branchMade ? ['--no-track', '-b', branch, path, baseCommit] : [path, branch];
    try {
      await request.announce?.(worktree);
      if (reused) return worktree;
      await git({ cwd: repository, args: ['worktree', 'add', '--quiet', ...what] });
    } catch (error) {
      await removeEmptyParents(worktree);
      throw error;
    }
    return worktree;
  });
}

async function planWorktree(request: WorktreeRequest): Promise<MadeWorktree> {
  const { repository, root, path, branch, base, retain = 'dirty' } = request;
  if (existsSync(path)) {
    if (retain === 'changed' && (await isOnBranch(request))) return takeUp(request);
    throw new SemoError('git_failed', `There is something at ${path} already. Remove it, or choose another taskId.`, {
      details: { path },
    });
  }
  const show = await tryGit({ cwd: repository, args: ['show-ref', '--verify', '--quiet', `refs/heads/${branch}`] });
  const branchMade = show.status !== 0;
  const from = branchMade ? base : `refs/heads/${branch}`;
  const baseCommit = await git({
    cwd: repository,
    args: ['rev-parse', '--verify', '--end-of-options', `${from}^{commit}`],
  });
  await mkdir(dirname(path), { recursive: true });
  const real = join(await realpath(dirname(path)), basename(path));
  return { repository, root: await realpath(root), path: real, branch, baseCommit, branchMade, retain, reused: false };
}

/** Whether the path is a worktree of this very repository with this branch checked out. */
async function isOnBranch({ repository, path, branch }: WorktreeRequest): Promise<boolean> {
  const head = await tryGit({ cwd: path, args: ['symbolic-ref', '--short', 'HEAD'] });
  if (head.status !== 0 || head.stdout.trim() !== branch) return false;
  return (await commonGitFolder(path)) === (await commonGitFolder(repository));
}

async function takeUp({ repository, root, path, branch }: WorktreeRequest): Promise<MadeWorktree> {
  const baseCommit = await git({ cwd: path, args: ['rev-parse', 'HEAD'] });
  const real = { root: await realpath(root), path: await realpath(path) };
  return { repository, ...real, branch, baseCommit, branchMade: false, retain: 'changed', reused: true };
}

/**
 * Takes a worktree away that {@link addWorktree} made, if nothing would be lost by it. Files that git ignores count for
 * nothing. Its branch is deleted if it is ours and nothing was committed on it. Doing so twice is harmless.
 */
export async function removeWorktree(worktree: MadeWorktree): Promise<WorktreeRemoval> {
  const { repository, path } = worktree;
  const kept = (reason: string): WorktreeRemoval => ({ kind: 'kept', path, reason });
  const common = await commonGitFolder(repository).catch(() => null);
  if (common === null) return kept(`Its repository ${repository} is gone.`);
  return perRepository.run(common, async () => {
    const isThere = await realpath(path).then(
      () => true,
      () => false,
    );
    if (isThere) {
      const reason = (await reasonToKeep(path)) ?? (await reasonToRetain(worktree));
      if (reason !== null) return kept(reason);
      const removal = await tryGit({ cwd: repository, args: ['worktree', 'remove', path] });
      if (removal.status !== 0) return kept(`git would not remove it: ${removal.stderr.trim()}`);
    } else {
      // Not `prune`, which would forget other people's worktrees too, such as one on a disk that is not there just now.
      await tryGit({ cwd: repository, args: ['worktree', 'remove', path] });
    }
    await removeEmptyParents(worktree);
    return { kind: 'removed', branch: (await deleteUnusedBranch(worktree)) ? 'deleted' : 'kept' };
  });
}

/** The folder that a repository and all its worktrees share: absolute, symbolic links resolved. */
export async function commonGitFolder(folder: string): Promise<string> {
  return realpath(await git({ cwd: folder, args: ['rev-parse', '--path-format=absolute', '--git-common-dir'] }));
}

async function checkBranchName(repository: string, branch: string): Promise<void> {
  // Not `--branch`, which would take "@{-1}" for the branch before this one.
  const check = await tryGit({ cwd: repository, args: ['check-ref-format', `refs/heads/${branch}`] });
  if (check.status === 0 && !branch.startsWith('-') && branch !== 'HEAD') return;
  throw new SemoError(
    'invalid_argument',
    `${JSON.stringify(branch)} is no name for a git branch; see git check-ref-format.`,
    { details: { branch } },
  );
}

async function reasonToKeep(path: string): Promise<string | null> {
  const status = await tryGit({ cwd: path, args: ['status', '--porcelain', '--untracked-files=all'] });
  if (status.status !== 0) return `git could not say whether it is clean: ${status.stderr.trim()}`;
  const changes = status.stdout.split('\n').filter((line) => line !== '');
  if (changes.length > 0)
    return `It has ${changes.length} uncommitted ${changes.length === 1 ? 'change' : 'changes'}, such as ${changes[0]?.slice(3)}.`;
  const unnamed = await tryGit({
    cwd: path,
    args: ['rev-list', '--count', 'HEAD', '--not', '--branches', '--tags', '--remotes'],
  });
  if (unnamed.status === 0 && unnamed.stdout.trim() !== '0')
    return `It has ${unnamed.stdout.trim()} commits that no branch leads to.`;
  return null;
}

async function reasonToRetain({ retain, reused, path, baseCommit }: MadeWorktree): Promise<string | null> {
  if (retain === 'dirty') return null;
  if (reused) return 'It was there before.';
  const made = await tryGit({ cwd: path, args: ['rev-list', '--count', `${baseCommit}..HEAD`] });
  return made.stdout.trim() === '0' ? null : `It has ${made.stdout.trim()} commits to look at.`;
}

async function deleteUnusedBranch({ repository, branch, baseCommit, branchMade }: MadeWorktree): Promise<boolean> {
  if (!branchMade) return false;
  const ahead = await tryGit({ cwd: repository, args: ['rev-list', '--count', `${baseCommit}..refs/heads/${branch}`] });
  if (ahead.status !== 0 || ahead.stdout.trim() !== '0') return false;
  // Refused while the branch is checked out somewhere else, which is as it should be.
  return (await tryGit({ cwd: repository, args: ['branch', '--quiet', '-D', '--', branch] })).status === 0;
}

async function removeEmptyParents({ path, root }: MadeWorktree): Promise<void> {
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
