import { realpath } from 'node:fs/promises';

import { SemoError } from '@semo-office/core';

import { git, tryGit } from './git-command.ts';

/** What would be lost with a worktree, or with switching it. */
export interface LooseWork {
  readonly kind: 'changes' | 'commits' | 'unknown';
  /** A sentence. */
  readonly reason: string;
}

/** The folder that a repository and all its worktrees share: absolute, symbolic links resolved. */
export async function commonGitFolder(folder: string): Promise<string> {
  return realpath(await git({ cwd: folder, args: ['rev-parse', '--path-format=absolute', '--git-common-dir'] }));
}

/** Names that git takes for certain, without being asked. */
const PLAIN_NAME = /^[A-Za-z0-9][\w-]*(?:\/[A-Za-z0-9][\w-]*)*$/;

/** @throws SemoError `invalid_argument` for a name that git refuses. */
export async function checkBranchName(repository: string, branch: string): Promise<void> {
  if (PLAIN_NAME.test(branch) && branch !== 'HEAD') return;
  // Not `--branch`, which would take "@{-1}" for the branch before this one.
  const check = await tryGit({ cwd: repository, args: ['check-ref-format', `refs/heads/${branch}`] });
  if (check.status === 0 && !branch.startsWith('-') && branch !== 'HEAD') return;
  throw new SemoError(
    'invalid_argument',
    `${JSON.stringify(branch)} is no name for a git branch; see git check-ref-format.`,
    { details: { branch } },
  );
}

/** The commits that these names lead to, in their order; `null` for one that leads to none. One run of git. */
export async function findCommits(repository: string, names: readonly string[]): Promise<(string | null)[]> {
  // A name of several lines would be several names.
  const lines = names.map((name) => (/[\r\n]/.test(name) ? ':' : `${name}^{commit}`));
  const args = ['cat-file', '--batch-check'];
  const answer = await git({ cwd: repository, args, input: `${lines.join('\n')}\n` });
  const said = answer.split('\n');
  return names.map((_name, index) => /^([0-9a-f]{40,}) commit \d+$/.exec(said[index] ?? '')?.[1] ?? null);
}

/**
 * What in a worktree is neither committed nor ignored, or committed where no branch leads; `null` when nothing is.
 *
 * @param known - A commit that is led to: when the worktree is still there, no commits need to be counted.
 */
export async function looseWork(path: string, known?: string): Promise<LooseWork | null> {
  const status = await tryGit({
    cwd: path,
    args: ['status', '--porcelain=v2', '--branch', '--untracked-files=all'],
  });
  if (status.status !== 0)
    return { kind: 'unknown', reason: `git could not say whether it is clean: ${status.stderr.trim()}` };
  const lines = status.stdout.split('\n').filter((line) => line !== '');
  const changes = lines.filter((line) => !line.startsWith('# '));
  if (changes.length > 0) {
    const many = changes.length === 1 ? '1 uncommitted change' : `${changes.length} uncommitted changes`;
    return { kind: 'changes', reason: `It has ${many}, such as ${changedPath(changes[0] ?? '')}.` };
  }
  const header = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length);
  if (header('head') !== '(detached)' || header('oid') === known) return null;
  const unnamed = await tryGit({
    cwd: path,
    args: ['rev-list', '--count', 'HEAD', '--not', '--branches', '--tags', '--remotes'],
  });
  if (unnamed.status !== 0 || unnamed.stdout.trim() === '0') return null;
  return { kind: 'commits', reason: `It has ${unnamed.stdout.trim()} commits that no branch leads to.` };
}

/** Whether git sees nothing of an untracked file. */
export async function isIgnored(folder: string, path: string): Promise<boolean> {
  return (await tryGit({ cwd: folder, args: ['check-ignore', '--quiet', '--', path] })).status === 0;
}

/** How many fields stand before the path, by the kind of line that `git status --porcelain=v2` prints. */
const FIELDS_BEFORE_PATH: Readonly<Record<string, number>> = { '1': 8, '2': 9, u: 10, '?': 1 };

function changedPath(line: string): string {
  const fields = FIELDS_BEFORE_PATH[line[0] ?? ''] ?? 0;
  // Of something renamed, the name it has now.
  return line.split(' ').slice(fields).join(' ').split('\t')[0] ?? '';
}
