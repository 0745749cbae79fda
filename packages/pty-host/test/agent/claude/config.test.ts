import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeState, trustedFolders, writeSettings, writeState } from '../../../src/agent/claude/config.ts';

const PATH = process.env['PATH'] ?? '';

describe('the configuration of a private Claude Code', () => {
  it('has every dialog answered', () => {
    const credential = { variable: 'ANTHROPIC_API_KEY', value: 'sk-ant-0123456789012345678901234567' } as const;
    expect(claudeState({ credential, trusted: ['/work'] })).toMatchObject({
      hasCompletedOnboarding: true,
      bypassPermissionsModeAccepted: true,
      customApiKeyResponses: { approved: [credential.value.slice(-20)], rejected: [] },
      projects: { '/work': { hasTrustDialogAccepted: true } },
    });
    const other = { variable: 'CLAUDE_CODE_OAUTH_TOKEN', value: 'token' } as const;
    expect(claudeState({ credential: other, trusted: [] })).toMatchObject({ customApiKeyResponses: { approved: [] } });
  });

  it('is for the user’s eyes only', async () => {
    await using folder = await temporaryFolder('semo-config-');
    await writeState(folder.path, { a: 1 });
    const settings = await writeSettings(folder.path, { b: 2 });
    const files = [join(folder.path, '.claude.json'), settings];
    expect(await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as unknown))).toEqual([
      { a: 1 },
      { b: 2 },
    ]);
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('trusts the folder, and the repository it is a worktree of', async () => {
    await using repository = await createGitRepository();
    await using worktrees = await temporaryFolder('semo-worktrees-');
    const worktree = join(worktrees.path, 'one');
    await repository.git(['worktree', 'add', worktree, '-b', 'one']);
    expect(await trustedFolders(worktree, PATH)).toEqual([worktree, await realpath(repository.path)]);
    expect(await trustedFolders(worktrees.path, PATH)).toEqual([worktrees.path]);
  });
});
