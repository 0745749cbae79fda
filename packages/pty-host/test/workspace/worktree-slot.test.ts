import { symlink, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { git } from '../../src/workspace/git-command.ts';
import { removeWorktree } from '../../src/workspace/worktree-removal.ts';
import { branchOf, commit, exists, worktreeStage, write } from './worktree-stage.ts';

const dirty = (kind: string, reason: RegExp) => ({
  code: 'workspace_dirty',
  details: { kind, reason: expect.stringMatching(reason) as string },
});

describe('a slot', () => {
  it('is a worktree on no branch, and leaves nothing behind', async () => {
    await using here = await worktreeStage();
    const slot = await here.slot();
    expect(slot).toMatchObject({ branch: null, path: join(here.root, 'slot', 'FE', 'one'), link: null });
    expect(await branchOf(slot.path)).toBe('');
    expect(await exists(join(slot.path, 'README.md'))).toBe(true);
    expect(await removeWorktree(slot)).toEqual({ kind: 'removed', branch: 'kept' });
    expect(await exists(here.root)).toBe(false);
    expect(await here.branches()).toEqual(['main']);
    await expect(here.slot('two', 'nowhere')).rejects.toMatchObject({
      code: 'git_failed',
      message: expect.stringContaining('There is no commit "nowhere"') as string,
    });
    expect(await exists(here.root)).toBe(false);
  });

  it('is switched to a branch made from the base in the repository, with a link that names the job', async () => {
    await using here = await worktreeStage();
    const slot = await here.slot();
    const newer = await commit(here.repository, 'Newer');
    const assigned = await here.assign(slot, 'agent/fe-1', { task: 'fe-1' });
    const link = join(here.root, 'agent', 'FE', 'fe-1');
    expect(assigned).toMatchObject({ branch: 'agent/fe-1', baseCommit: newer, branchMade: true, link, former: [] });
    expect(await branchOf(link)).toBe('agent/fe-1');
    expect(await git({ cwd: slot.path, args: ['rev-parse', 'HEAD'] })).toBe(newer);
    expect(here.announced.at(-1)).toEqual(assigned);
    expect(await removeWorktree(assigned)).toEqual({ kind: 'removed', branch: 'deleted' });
    expect(await exists(here.root)).toBe(false);
    expect(await here.branches()).toEqual(['main']);
  });

  it('goes on with a branch that exists, and never deletes a user’s', async () => {
    await using here = await worktreeStage();
    await here.git(['branch', 'theirs']);
    const assigned = await here.assign(await here.slot(), 'theirs', { base: 'not looked at' });
    expect(assigned.branchMade).toBe(false);
    expect(await removeWorktree(assigned)).toEqual({ kind: 'removed', branch: 'kept' });
    expect(await here.branches()).toEqual(['main', 'theirs']);
  });

  it('is given one job after the other: branches with commits stay, empty ones of ours go', async () => {
    await using here = await worktreeStage();
    const slot = await here.slot();
    const first = await here.assign(slot, 'first', { task: 'first' });
    await commit(slot.path);
    const second = await here.assign(first, 'second', { task: 'second' });
    const third = await here.assign(second, 'third', { task: 'second' });
    expect(await here.branches()).toEqual(['first', 'main', 'third']);
    expect(await exists(join(here.root, 'agent', 'FE', 'first'))).toBe(false);
    expect(await readlink(join(here.root, 'agent', 'FE', 'second'))).toBe(slot.path);
    const main = await git({ cwd: here.repository, args: ['rev-parse', 'main'] });
    expect(await git({ cwd: slot.path, args: ['rev-parse', 'HEAD'] })).toBe(main);
    const again = await here.assign(third, 'third', { task: 'third' });
    expect(again).toMatchObject({ branch: 'third', branchMade: true, baseCommit: main });
    expect(await removeWorktree(again)).toEqual({ kind: 'removed', branch: 'deleted' });
    expect(await exists(here.root)).toBe(false);
  });

  it('is refused while it holds work, and nothing of it is touched', async () => {
    await using here = await worktreeStage();
    const slot = await here.slot();
    const first = await here.assign(slot, 'first');
    await write(join(slot.path, 'new file.txt'));
    await expect(here.assign(first, 'second')).rejects.toMatchObject(
      dirty('changes', /1 uncommitted change.*new file/),
    );
    await rm(join(slot.path, 'new file.txt'));
    await git({ cwd: slot.path, args: ['mv', 'README.md', 'READ.md'] });
    await expect(here.assign(first, 'second')).rejects.toMatchObject(dirty('changes', /such as READ\.md\.$/));
    await git({ cwd: slot.path, args: ['reset', '--quiet', '--hard'] });
    await git({ cwd: slot.path, args: ['switch', '--quiet', '--detach'] });
    const nameless = await commit(slot.path);
    await expect(here.assign(first, 'second')).rejects.toMatchObject(dirty('commits', /1 commits that no branch/));
    expect(await git({ cwd: slot.path, args: ['rev-parse', 'HEAD'] })).toBe(nameless);
    expect(await here.branches()).toEqual(['first', 'main']);
    await git({ cwd: slot.path, args: ['branch', 'named'] });
    expect(await here.assign(first, 'second')).toMatchObject({ branch: 'second' });
    expect(await here.branches()).toEqual(['main', 'named', 'second']);
  });

  it('is refused in the middle of a merge', async () => {
    await using here = await worktreeStage();
    const first = await here.assign(await here.slot(), 'first');
    await commit(first.path);
    await here.git(['switch', '--quiet', '-c', 'other']);
    await commit(here.repository, 'Other');
    await git({ cwd: first.path, args: ['merge', '--quiet', '--no-ff', '--no-commit', 'other'] });
    await expect(here.assign(first, 'second')).rejects.toMatchObject(dirty('unfinished', /merging/));
    expect(await branchOf(first.path)).toBe('first');
    expect(await here.branches()).toEqual(['first', 'main', 'other']);
  });

  it('is refused where an ignored file would be lost, and is as it was', async () => {
    await using here = await worktreeStage();
    await write(join(here.repository, '.git', 'info', 'exclude'), '/.claude/CLAUDE.md\n');
    const slot = await here.slot();
    const persona = join(slot.path, '.claude', 'CLAUDE.md');
    await write(persona, 'mine');
    await here.git(['switch', '--quiet', '-c', 'tracks']);
    await write(join(here.repository, '.claude', 'CLAUDE.md'), 'theirs');
    await here.git(['add', '--force', '.claude/CLAUDE.md']);
    await commit(here.repository);
    for (const base of ['tracks', 'HEAD'])
      await expect(here.assign(slot, 'job', { base })).rejects.toMatchObject(
        dirty('in_the_way', /^It has \.claude\/CLAUDE\.md, which the branch job has too\.$/),
      );
    expect(await exists(join(here.root, 'agent'))).toBe(false);
    expect(here.announced.at(-1)).toEqual(slot);
    expect(await here.branches()).toEqual(['main', 'tracks']);
    const assigned = await here.assign(slot, 'job', { base: 'main' });
    expect(await exists(persona)).toBe(true);
    expect(assigned.branch).toBe('job');
  });

  it('says what to do where git will not, and is as it was', async () => {
    await using here = await worktreeStage();
    const slot = await here.slot();
    const refusals: [string, { base?: string; task?: string }, object][] = [
      ['main', {}, { code: 'git_failed', message: expect.stringContaining('is already checked out at') }],
      ['fine', { base: 'no\nsuch' }, { code: 'git_failed', message: expect.stringContaining('There is no commit') }],
      ['main/page', {}, { code: 'git_failed', message: expect.stringContaining('There is a branch main already') }],
      ['@{-1}', {}, { code: 'invalid_argument' }],
      ['-x', {}, { code: 'invalid_argument' }],
    ];
    for (const [branch, more, error] of refusals) {
      await expect(here.assign(slot, branch, more)).rejects.toMatchObject(error);
      expect(here.announced.at(-1)).toEqual(slot);
      expect(await branchOf(slot.path)).toBe('');
    }
    await write(join(here.root, 'agent', 'FE', 'taken', 'file'));
    await expect(here.assign(slot, 'fine', { task: 'taken' })).rejects.toMatchObject({
      code: 'git_failed',
      message: expect.stringContaining('There is something at') as string,
    });
    expect(await here.branches()).toEqual(['main']);
    expect(await removeWorktree(slot)).toMatchObject({ kind: 'removed' });
  });

  it('shares no name with another, but takes one whose folder is gone', async () => {
    await using here = await worktreeStage();
    const [one, two] = [await here.slot('one'), await here.slot('two')];
    const first = await here.assign(one, 'first');
    await expect(here.assign(two, 'second')).rejects.toMatchObject({ code: 'git_failed' });
    await rm(first.path, { recursive: true });
    expect(await here.assign(two, 'second')).toMatchObject({ branch: 'second' });
    // What is left of the first takes nothing from the second.
    expect(await removeWorktree(first)).toEqual({ kind: 'removed', branch: 'deleted' });
    expect(await branchOf(join(here.root, 'agent', 'FE', 'task'))).toBe('second');
  });

  it('can be cleared up by what was announced, wherever a crash came', async () => {
    await using here = await worktreeStage();
    const first = await here.assign(await here.slot(), 'first', { task: 'first' });
    await here.assign(first, 'second', { task: 'second' });
    const [, , underWay] = here.announced;
    // Told that both are ours, it finds what there is: before the switch, and after it.
    expect(underWay).toMatchObject({ branch: 'second', former: [{ branch: 'first', branchMade: true }] });
    await here.git(['branch', 'first']);
    await symlink(first.path, join(here.root, 'agent', 'FE', 'first'));
    expect(await removeWorktree(underWay!)).toEqual({ kind: 'removed', branch: 'deleted' });
    expect(await here.branches()).toEqual(['main']);
    expect(await exists(here.root)).toBe(false);
  });

  it('whose making was cut short is cleared up too', async () => {
    await using here = await worktreeStage();
    const slot = await here.slot();
    await here.git(['worktree', 'remove', slot.path]);
    await here.git(['worktree', 'add', '--quiet', '--no-checkout', '--detach', slot.path]);
    expect(await removeWorktree(slot)).toMatchObject({ kind: 'removed' });
    expect(await exists(here.root)).toBe(false);
  });
});
