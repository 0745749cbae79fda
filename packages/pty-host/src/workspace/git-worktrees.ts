import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';

import { SemoError } from '@semo-office/core';

import { git, tryGit } from './git-command.ts';
import { checkBranchName, commonGitFolder } from './git-facts.ts';
import type { MadeWorktree } from './made-worktree.ts';
import { withRepositoryLock } from './repository-lock.ts';
import { clearDeadLink, makeParents, removeEmptyParents, somethingThere } from './worktree-link.ts';
import { isTakenName, worktreeRefusal } from './worktree-refusal.ts';

/** What every worktree is made of. */
interface Making {
  readonly repository: string;
  /** Folder for all worktrees, made if missing. */
  readonly root: string;
  /** The worktree's folder. */
  readonly path: string;
  /** A commit, tag or branch of the repository. */
  readonly base: string;
  /** Is told what will be made before it is, to write it down: a crash in between then leaves nothing unknown. */
  readonly announce?: ((worktree: MadeWorktree) => Promise<void>) | undefined;
}

/** Which worktree to make. */
export interface WorktreeRequest extends Making {
  readonly branch: string;
  /** See `retain` of core's workspace. A worktree kept by `changed` is taken up again by the next session on its branch. */
  readonly retain?: 'dirty' | 'changed' | undefined;
  /** Allows to go on in a worktree on that branch that a session has left. */
  readonly takeUp?: LeftWorktrees | undefined;
}

/** What is known of worktrees that sessions have left. */
export interface LeftWorktrees {
  /** What a session has left there; `null` when it was none of ours. */
  find(path: string): Promise<MadeWorktree | null>;
  /** The sessions that work there now. */
  usersOf(path: string): Promise<readonly string[]>;
}

/**
 * Makes a worktree on a new branch from `base`, or on the branch if it exists and is checked out nowhere.
 *
 * @throws SemoError `invalid_argument` for a branch name git refuses, `session_busy` when another session works in the
 * one to be taken up, `git_failed` with what to do; git's own words are in `details.stderr`.
 */
export async function addWorktree(request: WorktreeRequest): Promise<MadeWorktree> {
  try {
    const { repository, branch } = request;
    const [common] = await Promise.all([commonGitFolder(repository), checkBranchName(repository, branch)]);
    return await make({ ...request, common, plan: () => planWorktree(request, common) });
  } catch (error) {
    throw worktreeRefusal(error, request);
  }
}

/**
 * Makes a worktree on no branch, at `base`. Its folder must not exist yet.
 *
 * @throws SemoError `git_failed` with what to do; git's own words are in `details.stderr`.
 */
export async function addSlot(request: Making): Promise<MadeWorktree> {
  const { repository, path, base } = request;
  try {
    const common = await commonGitFolder(repository);
    const plan = async (): Promise<MadeWorktree> => {
      if (existsSync(path)) throw somethingThere(path);
      return newWorktree({ ...request, common, branch: null, baseCommit: await commitOf(repository, base) });
    };
    return await make({ ...request, common, plan });
  } catch (error) {
    throw worktreeRefusal(error, { repository, base, branch: '' });
  }
}

type Planned = Making & { readonly common: string; readonly plan: () => Promise<MadeWorktree> };

async function make(planned: Planned): Promise<MadeWorktree> {
  const { worktree, isNew } = await withRepositoryLock(planned.common, () => register(planned));
  if (!isNew) return worktree;
  const { repository, path, root } = worktree;
  try {
    // Filling it takes longest, and nobody else has to wait for that.
    await git({ cwd: path, args: ['reset', '--quiet', '--hard', '--no-recurse-submodules'] });
  } catch (error) {
    // Of what was just made nothing can be work yet.
    await tryGit({ cwd: repository, args: ['worktree', 'remove', '--force', path] });
    await removeEmptyParents(path, root);
    throw error;
  }
  return worktree;
}

async function register({ repository, plan, announce }: Planned): Promise<{ worktree: MadeWorktree; isNew: boolean }> {
  const worktree = await plan();
  const isNew = !existsSync(worktree.path);
  try {
    await announce?.(worktree);
    const args = ['worktree', 'add', '--quiet', '--no-checkout', ...placeOf(worktree)];
    if (isNew) await git({ cwd: repository, args });
  } catch (error) {
    await removeEmptyParents(worktree.path, worktree.root);
    // Somebody was faster: the branch is not ours to delete.
    if (isTakenName(error)) await announce?.({ ...worktree, branchMade: false });
    throw error;
  }
  return { worktree, isNew };
}

function placeOf({ branch, branchMade, path, baseCommit }: MadeWorktree): string[] {
  if (branch === null) return ['--detach', path, baseCommit];
  return branchMade ? ['--no-track', '-b', branch, path, baseCommit] : [path, branch];
}

async function planWorktree(request: WorktreeRequest, common: string): Promise<MadeWorktree> {
  const { repository, root, path, branch, base } = request;
  await clearDeadLink(path, await realpath(root).catch(() => root));
  if (existsSync(path)) return planTakingUp(request);
  const show = await tryGit({ cwd: repository, args: ['show-ref', '--verify', '--quiet', `refs/heads/${branch}`] });
  const branchMade = show.status !== 0;
  const baseCommit = await commitOf(repository, branchMade ? base : `refs/heads/${branch}`);
  return newWorktree({ ...request, common, baseCommit, branchMade });
}

async function planTakingUp(request: WorktreeRequest): Promise<MadeWorktree> {
  const { path, takeUp, retain = 'dirty' } = request;
  const mayBe = takeUp !== undefined || retain === 'changed';
  if (!mayBe || !(await isOnBranch(request))) throw somethingThere(path);
  if (takeUp === undefined) return foundWorktree(request);
  const real = await realpath(path);
  const users = await takeUp.usersOf(real);
  if (users.length > 0) {
    throw new SemoError(
      'session_busy',
      `Session ${users.join(', ')} still works in ${path}. Wait for its end, or end it first.`,
      { details: { path, sessions: users } },
    );
  }
  const left = await takeUp.find(real);
  // Nobody of ours has left it: it is a person's, and stays.
  return left === null ? foundWorktree(request) : takenUp(left, request);
}

async function takenUp(left: MadeWorktree, { branch, retain = 'dirty' }: WorktreeRequest): Promise<MadeWorktree> {
  if (left.branch === branch) return { ...left, retain, reused: false };
  const baseCommit = await git({ cwd: left.path, args: ['rev-parse', 'HEAD'] });
  const former = left.branch === null ? [] : [{ ...left, branch: left.branch, link: null }];
  return {
    ...left,
    branch,
    baseCommit,
    branchMade: false,
    retain,
    reused: false,
    former: [...left.former, ...former],
  };
}

/** Whether the path is a worktree of this very repository with this branch checked out. */
async function isOnBranch({ repository, path, branch }: WorktreeRequest): Promise<boolean> {
  const head = await tryGit({ cwd: path, args: ['symbolic-ref', '--short', 'HEAD'] });
  if (head.status !== 0 || head.stdout.trim() !== branch) return false;
  return (await commonGitFolder(path)) === (await commonGitFolder(repository));
}

async function foundWorktree({
  repository,
  root,
  path,
  branch,
  retain = 'dirty',
}: WorktreeRequest): Promise<MadeWorktree> {
  const baseCommit = await git({ cwd: path, args: ['rev-parse', 'HEAD'] });
  const real = { root: await realpath(root), path: await realpath(path) };
  const nothing = { link: null, former: [] };
  return { repository, ...real, branch, baseCommit, branchMade: false, retain, reused: true, ...nothing };
}

async function newWorktree({
  repository,
  common,
  root,
  path,
  branch,
  baseCommit,
  branchMade = false,
  retain = 'dirty',
}: Pick<WorktreeRequest, 'repository' | 'root' | 'path' | 'retain'> &
  Pick<MadeWorktree, 'branch' | 'baseCommit'> & {
    readonly branchMade?: boolean;
    readonly common: string;
  }): Promise<MadeWorktree> {
  const real = await makeParents(path);
  const made = {
    repository,
    commonFolder: common,
    root: await realpath(root),
    path: real,
    branch,
    baseCommit,
    branchMade,
    retain,
  };
  return { ...made, reused: false, link: null, former: [] };
}

async function commitOf(repository: string, name: string): Promise<string> {
  return git({ cwd: repository, args: ['rev-parse', '--verify', '--end-of-options', `${name}^{commit}`] });
}
