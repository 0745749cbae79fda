import { SemoError } from '@semo-office/core';

import { git } from './git-command.ts';
import { checkBranchName, commonGitFolder, findCommits, looseWork } from './git-facts.ts';
import type { HeldBranch, MadeWorktree } from './made-worktree.ts';
import { withRepositoryLock } from './repository-lock.ts';
import { makeLink, makeParents, removeLink } from './worktree-link.ts';
import { noSuchCommit, switchRefusal, workspaceDirty } from './worktree-refusal.ts';
import { letGoOf } from './worktree-removal.ts';

/** A slot, and the job it is to have. */
export interface SlotAssignment {
  /** The slot as it is now. */
  readonly worktree: MadeWorktree;
  readonly branch: string;
  /** A commit, tag or branch of the repository, for a branch that does not exist yet. */
  readonly base: string;
  readonly retain: 'dirty' | 'changed';
  /** Where the link that names the job is to be. */
  readonly link: string;
  /** Is told of every change before it is made, to write it down. */
  readonly announce: (worktree: MadeWorktree) => Promise<void>;
}

/**
 * Switches a slot to the branch of a job, made from `base` or existing, and links the job's name to it. What the slot had
 * before is tidied up: its link goes, its branch stays if it is not ours or anything was committed on it.
 *
 * @throws SemoError `workspace_dirty` when work would be lost, `invalid_argument` for a branch name git refuses,
 * `git_failed` with what to do. The slot is then as it was.
 */
export async function assignSlot(assignment: SlotAssignment): Promise<MadeWorktree> {
  const { worktree, branch, base } = assignment;
  const { repository, path } = worktree;
  const [common, commits, loose] = await Promise.all([
    worktree.commonFolder ?? commonGitFolder(repository),
    findCommits(repository, [`refs/heads/${branch}`, base]),
    looseWork(path, worktree.baseCommit),
    checkBranchName(repository, branch),
  ]);
  if (loose !== null) throw workspaceDirty(path, loose);
  const [existing = null, from = null] = commits;
  const next = await plan(assignment, { existing, from });
  await assignment.announce(next);
  const what = existing === null ? ['--no-track', '-c', branch, next.baseCommit] : ['--no-guess', branch];
  return withRepositoryLock(common, () => switchTo(next, { assignment, what }));
}

async function plan(
  { worktree, branch, base, retain, link }: SlotAssignment,
  { existing, from }: { readonly existing: string | null; readonly from: string | null },
): Promise<MadeWorktree> {
  const baseCommit = existing ?? from;
  if (baseCommit === null) throw noSuchCommit({ repository: worktree.repository, base });
  const next = { branch, baseCommit, branchMade: existing === null, link: await makeParents(link) };
  const held = heldBranch(worktree);
  const former = [...worktree.former, ...(held === null ? [] : [held])]
    // What it has from now on is not to be tidied up.
    .map((each) => ({
      ...each,
      branchMade: each.branchMade && each.branch !== branch,
      link: each.link === next.link ? null : each.link,
    }));
  const goesOn = held !== null && held.branch === branch && existing !== null;
  const { baseCommit: began, branchMade: ours } = worktree;
  return { ...worktree, ...next, ...(goesOn ? { baseCommit: began, branchMade: ours } : {}), retain, former };
}

async function switchTo(
  next: MadeWorktree,
  { assignment, what }: { readonly assignment: SlotAssignment; readonly what: readonly string[] },
): Promise<MadeWorktree> {
  const { worktree, branch, base, announce } = assignment;
  const { path, root, repository, link } = next;
  try {
    if (link !== null) await makeLink({ link, path, root });
    // An ignored file, such as a persona, is not to be lost to a branch that has one of that name.
    await git({ cwd: path, args: ['switch', '--quiet', '--no-overwrite-ignore', ...what] });
  } catch (error) {
    if (link !== null && link !== worktree.link) await removeLink({ link, path, root });
    await announce(
      wasCutShort(error) ? { ...worktree, former: [...worktree.former, { ...next, branch, link: null }] } : worktree,
    );
    throw switchRefusal(error, { repository, branch, base, path });
  }
  if (next.former.length === 0) return next;
  for (const held of next.former) await letGoOf(next, held);
  const tidied = { ...next, former: [] };
  await announce(tidied);
  return tidied;
}

function heldBranch({ branch, baseCommit, branchMade, link }: MadeWorktree): HeldBranch | null {
  return branch === null ? null : { branch, baseCommit, branchMade, link };
}

/** A git that was ended for taking too long may have made the branch already. */
function wasCutShort(error: unknown): boolean {
  return error instanceof SemoError && error.details['status'] === -1;
}
