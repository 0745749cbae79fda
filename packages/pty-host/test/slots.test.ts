import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { newId, type SessionManager, type SessionSpec, type Workspace } from '@semo-office/core';
import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager, type PtySessionManagerOptions, type SweepReport } from '../src/index.ts';
import { openJournal } from '../src/process/session-journal.ts';
import type { ProcessTable } from '../src/process/process-table.ts';
import { systemProcessTable as table } from '../src/process/system-process-table.ts';
import { addSlot } from '../src/workspace/git-worktrees.ts';
import { assignSlot } from '../src/workspace/worktree-slot.ts';
import { programAgent } from './prompted-program.ts';

const persona = { name: 'Bea', role: 'BE', prompt: 'You write the back end.' };
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function stage(files?: Record<string, string>) {
  const repository = await createGitRepository(files === undefined ? {} : { files });
  const state = await temporaryFolder('semo-state-');
  const folder = await temporaryFolder('semo-worktrees-');
  const worktreeRoot = join(folder.path, 'root');
  const managers: SessionManager[] = [];
  const open = (more: PtySessionManagerOptions = {}): SessionManager => {
    const options = { stateDir: state.path, repositories: { app: repository.path }, worktreeRoot, ...more };
    const sessions = createPtySessionManager(options);
    managers.push(sessions);
    return sessions;
  };
  return {
    repository,
    stateDir: state.path,
    worktreeRoot,
    open,
    sessions: open(),
    spec: (workspace: Workspace): SessionSpec => ({
      sessionId: newId('ses'),
      agent: programAgent('pipe'),
      workspace,
      persona,
    }),
    async [Symbol.asyncDispose]() {
      for (const sessions of managers) await sessions.close();
      for (const each of [repository, state, folder]) await each[Symbol.asyncDispose]();
    },
  };
}

const slot = { kind: 'slot', repoId: 'app' } as const;

describe('a session in a slot', () => {
  it('keeps its persona, unseen by git, on a branch that ignores less', async () => {
    await using here = await stage({ 'README.md': '# App\n', '.gitignore': '.claude/\n' });
    const git = (args: readonly string[]) => here.repository.git(args);
    await git(['switch', '--quiet', '-c', 'less']);
    await rm(join(here.repository.path, '.gitignore'));
    await git(['commit', '--quiet', '--all', '-m', 'Ignore less']);
    await git(['switch', '--quiet', 'main']);
    const { sessionId, workspace } = await here.sessions.create(here.spec(slot));
    await here.sessions.assign(sessionId, { branch: 'job', base: 'less', taskId: 'job' });
    expect(await readFile(join(workspace.path, '.claude', 'CLAUDE.md'), 'utf8')).toContain('You write the back end.');
    // Work would be seen; a persona is none.
    expect((await here.sessions.assign(sessionId, { branch: 'next' })).workspace.branch).toBe('next');
    await here.sessions.terminate(sessionId, { graceMs: 500 });
    expect((await here.sessions.get(sessionId))?.workspace.kept).toBeNull();
    expect(await exists(here.worktreeRoot)).toBe(false);
    expect(await readFile(join(here.repository.path, '.git', 'info', 'exclude'), 'utf8').catch(() => '')).toBe('');
  });

  it('refuses a branch that has the file its persona is in, and stays fit for others', async () => {
    await using here = await stage();
    const { sessionId, workspace } = await here.sessions.create(here.spec(slot));
    const git = (args: readonly string[]) => here.repository.git(args);
    await git(['switch', '--quiet', '-c', 'theirs']);
    await git([
      'update-index',
      '--add',
      '--cacheinfo',
      '100644',
      await git(['rev-parse', 'HEAD:README.md']),
      '.claude/CLAUDE.md',
    ]);
    await git(['commit', '--quiet', '-m', 'Instructions of our own']);
    await expect(here.sessions.assign(sessionId, { branch: 'job', base: 'theirs' })).rejects.toMatchObject({
      code: 'workspace_dirty',
      class: 'capacity',
      details: { path: workspace.path, kind: 'in_the_way' },
    });
    expect((await here.sessions.get(sessionId))?.workspace).toEqual(workspace);
    const assigned = await here.sessions.assign(sessionId, { branch: 'job', base: 'main' });
    expect(assigned.workspace.branch).toBe('job');
  });

  it('whose work is not committed keeps its folder and says so; a new session goes on with it', async () => {
    await using here = await stage();
    const { sessionId, workspace } = await here.sessions.create(here.spec(slot));
    const job = { branch: 'job', role: 'BE', taskId: 'job' };
    await here.sessions.assign(sessionId, job);
    await writeFile(join(workspace.path, 'half.txt'), 'half');
    await expect(here.sessions.assign(sessionId, { branch: 'next' })).rejects.toMatchObject({
      code: 'workspace_dirty',
      details: { path: workspace.path, kind: 'changes', reason: expect.stringContaining('half.txt') as string },
    });
    await here.sessions.terminate(sessionId, { graceMs: 500 });
    const kept = { reason: 'It has 1 uncommitted change, such as half.txt.' };
    expect((await here.sessions.get(sessionId))?.workspace).toMatchObject({ branch: 'job', kept });

    const git = { kind: 'git', repoId: 'app', ...job } as const;
    await expect(here.sessions.create(here.spec(git))).rejects.toMatchObject({ code: 'git_failed' });
    const again = await here.sessions.create(here.spec({ ...git, takeUp: true }));
    expect(again.workspace).toMatchObject({ path: workspace.path, branch: 'job' });
    await expect(here.sessions.create(here.spec({ ...git, takeUp: true }))).rejects.toMatchObject({
      code: 'session_busy',
    });
    await rm(join(workspace.path, 'half.txt'));
    await here.sessions.terminate(again.sessionId, { graceMs: 500 });
    expect((await here.sessions.get(again.sessionId))?.workspace.kept).toBeNull();
    expect(await exists(here.worktreeRoot)).toBe(false);
    expect(await here.repository.git(['branch', '--list', 'job'])).toBe('');
  });

  it('is cleared up after its host was killed, and what it held is reported until it is committed', async () => {
    await using here = await stage();
    const { worktreeRoot: root, stateDir } = here;
    const deadHost: ProcessTable = {
      ...table,
      find: (pid) => (pid === process.pid ? { ...table.find(pid)!, startTime: 1 } : table.find(pid)),
    };
    const place = await openJournal({ stateDir, table: deadHost }).claim('ses_dead');
    const announce = async (worktree: NonNullable<typeof place.record.worktree>) => place.update({ worktree });
    const made = await addSlot({
      repository: here.repository.path,
      root,
      path: join(root, 'slot', 'BE', 'ses_dead'),
      base: 'HEAD',
      announce,
    });
    const link = join(root, 'agent', 'BE', 'job');
    await assignSlot({ worktree: made, branch: 'job', base: 'HEAD', retain: 'dirty', link, announce });
    await writeFile(join(made.path, 'half.txt'), 'half');
    const reports: SweepReport[] = [];
    const options = { onSweep: (report: SweepReport) => void reports.push(report) };
    await here.open(options).list();
    const reason = 'It has 1 uncommitted change, such as half.txt.';
    expect(reports[0]).toMatchObject({
      swept: [{ sessionId: 'ses_dead', keptWorktree: { path: made.path, reason } }],
      worktrees: { removed: [], kept: [{ path: made.path, branch: 'job', sessionId: 'ses_dead', reason }] },
    });
    await rm(join(made.path, 'half.txt'));
    await here.open(options).list();
    expect(reports[1]).toMatchObject({
      swept: [],
      worktrees: { removed: [{ path: made.path, branch: 'deleted' }], kept: [] },
    });
    expect(await exists(root)).toBe(false);
  });
});
