import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createWorkspaceResolver } from '../../src/workspace/workspace-resolver.ts';

const sessionId = 'ses_1';

describe('workspace resolver', () => {
  it('takes a folder as it is, symbolic links resolved', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'real'));
    await symlink('real', join(folder.path, 'link'));
    const workspaces = createWorkspaceResolver({ worktreeRoot: join(folder.path, 'worktrees') });
    expect(
      await workspaces.resolve({ workspace: { kind: 'path', path: join(folder.path, 'link') }, sessionId }),
    ).toEqual({
      info: { kind: 'path', path: join(folder.path, 'real') },
      worktree: null,
    });
  });

  it('refuses what is missing, no folder, relative, or outside the allowed roots', async () => {
    await using folder = await temporaryFolder();
    await using outside = await temporaryFolder();
    for (const name of ['allowed', 'allowed/inside', 'allowed-not']) await mkdir(join(folder.path, name));
    await symlink(outside.path, join(folder.path, 'allowed', 'out'));
    await writeFile(join(folder.path, 'file'), '');
    const allowedRoots = [join(folder.path, 'nowhere'), join(folder.path, 'allowed')];
    const workspaces = createWorkspaceResolver({ allowedRoots, worktreeRoot: folder.path });
    const resolve = (name: string) =>
      workspaces.resolve({ workspace: { kind: 'path', path: join(folder.path, name) }, sessionId });
    await expect(resolve('missing')).rejects.toMatchObject({ code: 'workspace_not_found' });
    await expect(resolve('file')).rejects.toMatchObject({ code: 'workspace_not_directory' });
    await expect(resolve('allowed-not')).rejects.toMatchObject({ code: 'workspace_forbidden' });
    await expect(resolve('allowed/out')).rejects.toMatchObject({ code: 'workspace_forbidden' });
    await expect(
      workspaces.resolve({ workspace: { kind: 'path', path: 'relative' }, sessionId }),
    ).rejects.toMatchObject({ code: 'workspace_not_found' });
    await expect(workspaces.resolve({ workspace: { kind: 'path', path: '' }, sessionId })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect((await resolve('allowed')).info.path).toBe(join(folder.path, 'allowed'));
    expect((await resolve('allowed/inside')).info.path).toBe(join(folder.path, 'allowed', 'inside'));
  });

  it('makes a worktree of a repository it knows', async () => {
    await using repository = await createGitRepository();
    await using folder = await temporaryFolder();
    const workspaces = createWorkspaceResolver({ repositories: { app: repository.path }, worktreeRoot: folder.path });
    const git = { kind: 'git', repoId: 'app' } as const;
    const named = await workspaces.resolve({
      workspace: { ...git, branch: 'a', role: 'FE', taskId: 't1' },
      sessionId,
      role: 'ignored',
    });
    expect(named.info).toEqual({
      kind: 'git',
      repoId: 'app',
      branch: 'a',
      path: join(folder.path, 'agent', 'FE', 't1'),
    });
    expect(named.worktree).toMatchObject({ branch: 'a', branchMade: true });
    expect((await workspaces.resolve({ workspace: { ...git, branch: 'b' }, sessionId, role: 'BE' })).info.path).toBe(
      join(folder.path, 'agent', 'BE', 'ses_1'),
    );
    expect((await workspaces.resolve({ workspace: { ...git, branch: 'c' }, sessionId })).info.path).toBe(
      join(folder.path, 'agent', 'agent', 'ses_1'),
    );
    const traveller = { workspace: { ...git, branch: 'e', taskId: 't2' }, sessionId, role: '../../Büro 1' };
    expect((await workspaces.resolve(traveller)).info.path).toBe(join(folder.path, 'agent', 'B-ro-1', 't2'));
    const announced: unknown[] = [];
    const last = await workspaces.resolve({
      workspace: { ...git, branch: 'f', taskId: 't3' },
      sessionId,
      announce: async (made) => void announced.push(made, await readdir(join(folder.path, 'agent', 'agent'))),
    });
    expect(announced).toEqual([last.worktree, ['ses_1']]);
    for (const repoId of ['other', 'constructor']) {
      await expect(workspaces.resolve({ workspace: { ...git, repoId, branch: 'd' }, sessionId })).rejects.toMatchObject(
        { code: 'repository_unknown' },
      );
    }
  });
});
