import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { git, tryGit } from '../../src/workspace/git-command.ts';
import { commonGitFolder } from '../../src/workspace/git-facts.ts';
import { addWorktree } from '../../src/workspace/git-worktrees.ts';
import type { MadeWorktree } from '../../src/workspace/made-worktree.ts';
import { removeWorktree } from '../../src/workspace/worktree-removal.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const commit = (cwd: string, message: string): Promise<string> =>
  git({ cwd, args: ['commit', '--quiet', '--allow-empty', '-m', message] });

async function setting(): Promise<
  {
    path: string;
    root: string;
    add: (branch: string, base?: string) => Promise<MadeWorktree>;
    branches: () => Promise<string[]>;
  } & AsyncDisposable
> {
  const repository = await createGitRepository();
  const folder = await temporaryFolder();
  const root = join(folder.path, 'worktrees');
  return {
    path: repository.path,
    root,
    add: (branch, base = 'HEAD') =>
      addWorktree({
        repository: repository.path,
        root,
        path: join(root, 'agent', 'fe', branch.replaceAll('/', '-')),
        branch,
        base,
      }),
    branches: async () =>
      (await repository.git(['for-each-ref', '--format=%(refname:short)', 'refs/heads'])).split('\n'),
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}

describe('git worktrees', () => {
  it('are made on a new branch and removed with it when nothing happened', async () => {
    await using here = await setting();
    const worktree = await here.add('agent/one');
    expect(await git({ cwd: worktree.path, args: ['branch', '--show-current'] })).toBe('agent/one');
    expect(worktree).toMatchObject({ branchMade: true, path: join(here.root, 'agent', 'fe', 'agent-one') });
    expect(await commonGitFolder(worktree.path)).toBe(join(here.path, '.git'));
    expect(await removeWorktree(worktree)).toEqual({ kind: 'removed', branch: 'deleted' });
    expect(await here.branches()).toEqual(['main']);
    expect(await exists(here.root)).toBe(false);
    expect(await removeWorktree(worktree)).toEqual({ kind: 'removed', branch: 'kept' });
  });

  it('leave a branch with commits, and one that was there before', async () => {
    await using here = await setting();
    const worktree = await here.add('work');
    await commit(worktree.path, 'Work');
    expect(await removeWorktree(worktree)).toEqual({ kind: 'removed', branch: 'kept' });
    const again = await here.add('work', 'nonsense that is not looked at');
    expect(again.branchMade).toBe(false);
    expect(await removeWorktree(again)).toEqual({ kind: 'removed', branch: 'kept' });
    expect(await here.branches()).toEqual(['main', 'work']);
  });

  it('stay when they hold uncommitted work, and go with ignored files', async () => {
    await using here = await setting();
    const worktree = await here.add('dirty');
    await writeFile(join(worktree.path, 'new.txt'), 'x');
    expect(await removeWorktree(worktree)).toEqual({
      kind: 'kept',
      path: worktree.path,
      reason: 'It has 1 uncommitted change, such as new.txt.',
    });
    await writeFile(join(worktree.path, 'README.md'), 'x');
    expect(await removeWorktree(worktree)).toMatchObject({
      kind: 'kept',
      reason: expect.stringContaining('2 uncommitted changes') as string,
    });
    await git({ cwd: worktree.path, args: ['checkout', '--quiet', 'README.md'] });
    await writeFile(join(worktree.path, '.gitignore'), 'new.txt\n');
    await git({ cwd: worktree.path, args: ['add', '.gitignore'] });
    await commit(worktree.path, 'Ignore');
    expect(await removeWorktree(worktree)).toEqual({ kind: 'removed', branch: 'kept' });
  });

  it('stay when they hold commits that no branch leads to', async () => {
    await using here = await setting();
    const worktree = await here.add('detached');
    await git({ cwd: worktree.path, args: ['checkout', '--quiet', '--detach'] });
    await commit(worktree.path, 'Nameless');
    expect(await removeWorktree(worktree)).toMatchObject({
      kind: 'kept',
      reason: 'It has 1 commits that no branch leads to.',
    });
  });

  it('stay when git cannot tell or will not', async () => {
    await using here = await setting();
    const worktree = await here.add('broken');
    await git({ cwd: here.path, args: ['worktree', 'lock', worktree.path] });
    expect(await removeWorktree(worktree)).toMatchObject({
      kind: 'kept',
      reason: expect.stringContaining('locked') as string,
    });
    await writeFile(join(worktree.path, '.git'), 'nonsense');
    expect(await removeWorktree(worktree)).toMatchObject({
      kind: 'kept',
      reason: expect.stringContaining('could not say') as string,
    });
    await rm(here.path, { recursive: true });
    expect(await removeWorktree(worktree)).toMatchObject({
      kind: 'kept',
      reason: expect.stringContaining('is gone') as string,
    });
    await mkdir(here.path);
  });

  it('are forgotten by git when their folder is gone', async () => {
    await using here = await setting();
    const worktree = await here.add('vanished');
    await rm(worktree.path, { recursive: true });
    expect(await removeWorktree(worktree)).toEqual({ kind: 'removed', branch: 'deleted' });
  });

  it('are made twenty at a time', async () => {
    await using here = await setting();
    const made = await Promise.all(Array.from({ length: 20 }, (_value, index) => here.add(`many/${index}`)));
    expect(await readdir(join(here.root, 'agent', 'fe'))).toHaveLength(20);
    const removed = await Promise.all(made.map((worktree) => removeWorktree(worktree)));
    expect(removed.every(({ kind }) => kind === 'removed')).toBe(true);
    expect(await exists(here.root)).toBe(false);
  });

  it('are made by two processes at once', async () => {
    await using here = await setting();
    const maker = fileURLToPath(new URL('../fixtures/worktree-maker.mjs', import.meta.url));
    const run = promisify(execFile);
    await Promise.all(
      ['left', 'right'].map((name) => run(process.execPath, [maker, here.path, here.root, name, '10'])),
    );
    expect(await here.branches()).toHaveLength(21);
    for (const name of ['left', 'right']) expect(await readdir(join(here.root, name))).toHaveLength(10);
    expect((await readdir(join(here.path, '.git'))).filter((name) => name.includes('semo'))).toEqual([]);
  });

  it('wait for a lock of git’s own that somebody else holds for a moment', async () => {
    await using here = await setting();
    const lock = join(here.path, '.git', 'config.lock');
    await writeFile(lock, '');
    const patient = tryGit({ cwd: here.path, args: ['config', 'semo.test', 'patient'] });
    // As long as two that do not wait take to fail, it has failed once.
    const run = promisify(execFile);
    for (const value of ['one', 'two'])
      await expect(run('git', ['config', 'semo.test', value], { cwd: here.path })).rejects.toThrow('could not lock');
    await rm(lock);
    expect(await patient).toMatchObject({ status: 0 });
    expect(await git({ cwd: here.path, args: ['config', 'semo.test'] })).toBe('patient');
  });

  it('refuse bad names', async () => {
    await using here = await setting();
    for (const branch of ['-x', 'a..b', '@{-1}', 'HEAD', 'a b', 'x.lock'])
      await expect(here.add(branch)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('say what to do where git will not', async () => {
    await using here = await setting();
    const refused = (message: string, stderr: RegExp) => ({
      code: 'git_failed',
      message,
      details: { stderr: expect.stringMatching(stderr) as string },
    });
    await expect(here.add('fine', 'no-such-base')).rejects.toMatchObject(
      refused(
        `There is no commit "no-such-base" in ${here.path} to begin at. Fetch it, or name another base.`,
        /single revision/,
      ),
    );
    await expect(here.add('main')).rejects.toMatchObject(
      refused(
        `The branch main is already checked out at ${here.path}, and git lets it be in one place only. End what works there, or choose another branch.`,
        /already (checked out|used)/,
      ),
    );
    await expect(here.add('main/page')).rejects.toMatchObject(
      refused(
        'There is a branch main already, beside which git cannot keep one named main/page. Choose another name.',
        /cannot lock ref/,
      ),
    );
    const folder = here.root.replace('/worktrees', '');
    const nowhere = { repository: folder, root: here.root, path: join(here.root, 'x'), branch: 'x', base: 'HEAD' };
    await expect(addWorktree(nowhere)).rejects.toMatchObject(
      refused(
        `${folder} is not a git repository. Make one there (git init), or name the folder of one.`,
        /not a git repository/,
      ),
    );
  });

  it('leave nothing when they cannot be made, and never take over what is there', async () => {
    await using here = await setting();
    await expect(here.add('main')).rejects.toMatchObject({ code: 'git_failed' });
    expect(await exists(here.root)).toBe(false);
    await here.add('taken');
    await expect(here.add('taken')).rejects.toMatchObject({
      code: 'git_failed',
      message: expect.stringContaining('already') as string,
    });
  });

  it('run no hooks and see no variables of an enclosing git', async () => {
    await using here = await setting();
    const hook = join(here.path, '.git', 'hooks', 'post-checkout');
    await mkdir(join(here.path, '.git', 'hooks'), { recursive: true });
    await writeFile(hook, `#!/bin/sh\ntouch '${here.path}/hook-ran'\n`, { mode: 0o755 });
    await git({ cwd: here.path, args: ['config', '--unset', 'core.hooksPath'] });
    process.env['GIT_DIR'] = '/nonexistent';
    try {
      await here.add('hooked');
    } finally {
      delete process.env['GIT_DIR'];
    }
    expect(await exists(join(here.path, 'hook-ran'))).toBe(false);
  });

  it('do not wait for ever', async () => {
    await using here = await setting();
    const slow = await tryGit({ cwd: here.path, args: ['-c', 'alias.slow=!exec sleep 100', 'slow'], timeoutMs: 100 });
    expect(slow).toMatchObject({ status: -1, stderr: 'It took longer than 100 ms.' });
    expect(await tryGit({ cwd: join(here.path, 'gone'), args: ['status'] })).toMatchObject({
      status: -1,
      stderr: expect.stringContaining('ENOENT') as string,
    });
  });
});
