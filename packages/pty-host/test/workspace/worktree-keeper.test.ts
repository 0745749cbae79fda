import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { collectWorktrees, listKeptWorktrees } from '../../src/index.ts';
import { openJournal } from '../../src/process/session-journal.ts';
import { git } from '../../src/workspace/git-command.ts';
import { addWorktree } from '../../src/workspace/git-worktrees.ts';
import { createWorktreeKeeper } from '../../src/workspace/worktree-keeper.ts';
import { createWorkspaceResolver } from '../../src/workspace/workspace-resolver.ts';
import { branchOf, commit, exists, worktreeStage, write } from './worktree-stage.ts';

async function stage() {
  const here = await worktreeStage();
  const clock = new FakeClock();
  const { repository, root, stateDir } = here;
  const keeper = createWorktreeKeeper({ stateDir, clock });
  const resolver = createWorkspaceResolver({ repositories: { app: repository }, worktreeRoot: root, keeper });
  const resolve = (more: { retain?: 'changed'; takeUp?: boolean; branch?: string } = {}) =>
    resolver.resolve({
      workspace: { kind: 'git', repoId: 'app', branch: 'job', role: 'FE', taskId: 'job', ...more },
      sessionId: 'ses_2',
    });
  const add = (name: string, retain: 'dirty' | 'changed' = 'dirty') =>
    addWorktree({ repository, root, path: join(root, name), branch: name, base: 'HEAD', retain });
  return { ...here, clock, keeper, resolve, add, records: () => readdir(join(stateDir, 'kept')).catch(() => []) };
}

describe('what sessions leave', () => {
  it('is remembered while it holds work, and collected once that is committed', async () => {
    await using here = await stage();
    const [clean, dirty] = [await here.add('clean'), await here.add('dirty')];
    await write(join(dirty.path, 'new.txt'));
    here.clock.advance(5);
    expect(await here.keeper.leave(clean, { sessionId: 'ses_1' })).toMatchObject({ kind: 'removed' });
    expect(await here.keeper.leave(dirty, { sessionId: 'ses_1' })).toMatchObject({ kind: 'kept' });
    const reason = 'It has 1 uncommitted change, such as new.txt.';
    const kept = { path: dirty.path, branch: 'dirty', sessionId: 'ses_1', reason, keptAt: here.clock.now() };
    expect(await listKeptWorktrees(here)).toEqual([kept]);
    here.clock.advance(1_000_000);
    const nothing = { removed: [], gone: [], faults: [] };
    expect(await collectWorktrees({ ...here, maxAgeMs: 1 })).toEqual({ ...nothing, kept: [kept] });
    await git({ cwd: dirty.path, args: ['add', '--all'] });
    await commit(dirty.path);
    const removed = [{ path: dirty.path, branch: 'kept' }];
    expect(await collectWorktrees(here)).toEqual({ ...nothing, kept: [], removed });
    expect(await here.branches()).toEqual(['dirty', 'main']);
    expect(await exists(here.stateDir)).toBe(true);
    expect(await here.records()).toEqual([]);
  });

  it('is forgotten when somebody has removed it, and left alone when it cannot be understood', async () => {
    await using here = await stage();
    const worktree = await here.add('gone');
    await write(join(worktree.path, 'new.txt'));
    await here.keeper.leave(worktree, { sessionId: 'ses_1' });
    await write(join(here.stateDir, 'kept', 'odd.json'), '{}');
    await rm(worktree.path, { recursive: true });
    const report = await collectWorktrees(here);
    expect(report).toMatchObject({ gone: [worktree.path], removed: [], kept: [] });
    expect(report.faults).toEqual([expect.stringContaining('odd.json')]);
    expect(await here.records()).toEqual(['odd.json']);
    expect(await here.branches()).toEqual(['main']);
  });

  it('to be looked at is kept until another branch has it, or it is too old', async () => {
    await using here = await stage();
    const [merged, old] = [await here.add('merged', 'changed'), await here.add('old', 'changed')];
    for (const each of [merged, old]) {
      await commit(each.path, each.path);
      expect(await here.keeper.leave(each, { sessionId: 'ses_1' })).toMatchObject({
        kind: 'kept',
        reason: 'It has 1 commits to look at.',
      });
    }
    expect((await collectWorktrees(here)).kept).toHaveLength(2);
    await here.git(['merge', '--quiet', '--no-edit', 'merged']);
    expect(await collectWorktrees(here)).toMatchObject({
      removed: [{ path: merged.path, branch: 'kept' }],
      kept: [{ path: old.path, reason: 'It has 1 commits to look at.' }],
    });
    here.clock.advance(10);
    expect((await collectWorktrees({ ...here, maxAgeMs: 11 })).kept).toHaveLength(1);
    expect((await collectWorktrees({ ...here, maxAgeMs: 10 })).removed).toHaveLength(1);
    expect(await here.branches()).toEqual(['main', 'merged', 'old']);
  });

  it('is not collected while a session works in it', async () => {
    await using here = await stage();
    const worktree = await here.add('busy', 'changed');
    await commit(worktree.path);
    await here.keeper.leave(worktree, { sessionId: 'ses_1' });
    await here.git(['merge', '--quiet', 'busy']);
    const place = await openJournal(here).claim('ses_2');
    await place.update({ worktree });
    expect((await collectWorktrees(here)).kept).toMatchObject([{ reason: 'A session works in it.' }]);
    await place.release();
    expect((await collectWorktrees(here)).removed).toHaveLength(1);
  });
});

describe('taking up', () => {
  it('goes on where an earlier session has left, and then the ordinary rule holds', async () => {
    await using here = await stage();
    const first = await here.resolve();
    await write(join(first.info.path, 'half.txt'));
    await here.keeper.leave(first.worktree!, { sessionId: 'ses_1' });
    await expect(here.resolve()).rejects.toMatchObject({ code: 'git_failed' });
    const second = await here.resolve({ takeUp: true });
    expect(second).toEqual(first);
    expect(await here.records()).toEqual([]);
    expect(await here.keeper.leave(second.worktree!, { sessionId: 'ses_2' })).toMatchObject({ kind: 'kept' });
    const third = await here.resolve({ takeUp: true });
    await rm(join(first.info.path, 'half.txt'));
    expect(await here.keeper.leave(third.worktree!, { sessionId: 'ses_3' })).toEqual({
      kind: 'removed',
      branch: 'deleted',
    });
    expect(await exists(here.root)).toBe(false);
    expect((await here.resolve({ takeUp: true })).worktree).toMatchObject({ reused: false, branchMade: true });
  });

  it('finds a slot by the name of its job', async () => {
    await using here = await stage();
    const slot = await here.assign(await here.slot(), 'job', { task: 'job' });
    await write(join(slot.path, 'half.txt'));
    await here.keeper.leave(slot, { sessionId: 'ses_1' });
    const link = join(here.root, 'agent', 'FE', 'job');
    expect(await branchOf(link)).toBe('job');
    const taken = await here.resolve({ takeUp: true });
    expect(taken.info).toMatchObject({ path: slot.path, branch: 'job', link });
    await rm(join(slot.path, 'half.txt'));
    expect(await here.keeper.leave(taken.worktree!, { sessionId: 'ses_2' })).toMatchObject({ kind: 'removed' });
    expect(await exists(here.root)).toBe(false);
  });

  it('waits for the session that still works there', async () => {
    await using here = await stage();
    const { worktree } = await here.resolve();
    const place = await openJournal(here).claim('ses_1');
    await place.update({ worktree });
    await expect(here.resolve({ takeUp: true })).rejects.toMatchObject({
      code: 'session_busy',
      retryable: true,
      details: { sessions: ['ses_1'] },
    });
    await place.release();
  });

  it('leaves a person’s own worktree where it is, and refuses what is on another branch', async () => {
    await using here = await stage();
    await mkdir(join(here.root, 'agent', 'FE'), { recursive: true });
    await here.git(['worktree', 'add', '--quiet', '-b', 'job', join(here.root, 'agent', 'FE', 'job')]);
    await expect(here.resolve({ takeUp: true, branch: 'other' })).rejects.toMatchObject({ code: 'git_failed' });
    const { worktree } = await here.resolve({ takeUp: true });
    expect(worktree).toMatchObject({ reused: true, branchMade: false });
    expect(await here.keeper.leave(worktree!, { sessionId: 'ses_1' })).toMatchObject({
      kind: 'kept',
      reason: 'It was there before.',
    });
    expect(await here.records()).toEqual([]);
  });

  it('knows of one used by several sessions who made it', async () => {
    await using here = await stage();
    const first = await here.resolve({ retain: 'changed' });
    await commit(first.info.path);
    await here.keeper.leave(first.worktree!, { sessionId: 'ses_1' });
    const second = await here.resolve({ retain: 'changed' });
    expect(second.worktree).toMatchObject({ reused: true });
    await here.keeper.leave(second.worktree!, { sessionId: 'ses_2' });
    expect(await listKeptWorktrees(here)).toMatchObject([{ sessionId: 'ses_2', reason: 'It was there before.' }]);
    await here.git(['merge', '--quiet', 'job']);
    expect((await collectWorktrees(here)).removed).toHaveLength(1);
  });
});
