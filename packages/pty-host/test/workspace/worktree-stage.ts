import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { createGitRepository, temporaryFolder } from '@semo-office/testbed';

import { git } from '../../src/workspace/git-command.ts';
import { addSlot } from '../../src/workspace/git-worktrees.ts';
import type { MadeWorktree } from '../../src/workspace/made-worktree.ts';
import { assignSlot } from '../../src/workspace/worktree-slot.ts';

/** Whether there is something at a path; a link that leads nowhere is nothing. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Makes a commit in a folder; gives its id. */
export async function commit(cwd: string, message = 'Work'): Promise<string> {
  await git({ cwd, args: ['commit', '--quiet', '--allow-empty', '-m', message] });
  return git({ cwd, args: ['rev-parse', 'HEAD'] });
}

/** Writes a file and the folders above it. */
export async function write(path: string, text = 'x\n'): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** The branch that is checked out in a folder; empty when none is. */
export const branchOf = (cwd: string): Promise<string> => git({ cwd, args: ['branch', '--show-current'] });

/** A real repository, and a folder for worktrees. */
export async function worktreeStage(files?: Record<string, string>) {
  const repository = await createGitRepository(files === undefined ? {} : { files });
  const folder = await temporaryFolder();
  const root = join(folder.path, 'worktrees');
  /** Everything that was announced, newest last. */
  const announced: MadeWorktree[] = [];
  const announce = async (made: MadeWorktree): Promise<void> => void announced.push(made);
  return {
    repository: repository.path,
    git: (args: readonly string[]) => repository.git(args),
    root,
    announced,
    stateDir: join(folder.path, 'state'),
    slot: (name = 'one', base = 'HEAD') =>
      addSlot({ repository: repository.path, root, path: join(root, 'slot', 'FE', name), base, announce }),
    assign: (worktree: MadeWorktree, branch: string, more: { base?: string; task?: string; retain?: 'changed' } = {}) =>
      assignSlot({
        worktree,
        branch,
        base: more.base ?? 'HEAD',
        retain: more.retain ?? 'dirty',
        link: join(root, 'agent', 'FE', more.task ?? 'task'),
        announce,
      }),
    branches: async () =>
      (await repository.git(['for-each-ref', '--format=%(refname:short)', 'refs/heads'])).split('\n'),
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}
