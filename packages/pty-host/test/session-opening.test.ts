import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type SessionManager } from '@semo-office/core';
import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../src/index.ts';

const persona = { name: 'Bea', role: 'BE', prompt: 'You write the back end.' };

async function stage() {
  const repository = await createGitRepository();
  const state = await temporaryFolder('semo-state-');
  const worktrees = await temporaryFolder('semo-worktrees-');
  const sessions = createPtySessionManager({
    stateDir: state.path,
    repositories: { app: repository.path },
    worktreeRoot: worktrees.path,
  });
  return {
    repository,
    sessions,
    worktrees: worktrees.path,
    async [Symbol.asyncDispose]() {
      await sessions.close();
      for (const each of [repository, state, worktrees]) await each[Symbol.asyncDispose]();
    },
  };
}

function open(sessions: SessionManager, command: readonly string[]) {
  return sessions.create({
    sessionId: newId('ses'),
    agent: { kind: 'command', command: [...command] },
    workspace: { kind: 'git', repoId: 'app', branch: 'agent/login', taskId: 'login' },
    persona,
    home: 'private',
  });
}

describe('opening a session', () => {
  it('makes its worktree and writes its persona before the agent starts, and takes both away again', async () => {
    await using here = await stage();
    const info = await open(here.sessions, ['sh', '-c', 'cat .claude/CLAUDE.md; exec cat']);
    const path = join(here.worktrees, 'agent', 'BE', 'login');
    expect(info).toMatchObject({ worktreeId: 'agent/login', workspace: { kind: 'git', path, branch: 'agent/login' } });
    expect(info.persona).toMatchObject({ path: join(path, '.claude', 'CLAUDE.md') });
    const turn = await here.sessions.sendPrompt(info.sessionId, 'x', { silenceMs: 200 });
    expect((await here.sessions.waitForTurn(info.sessionId, turn.turnId)).state).toMatchObject({
      outcome: 'completed',
    });
    const output = await here.sessions.getOutput(info.sessionId);
    expect(output.as === 'text' ? output.text : '').toContain('You write the back end.');
    await here.sessions.terminate(info.sessionId, { graceMs: 500 });
    await expect(access(path)).rejects.toThrow('ENOENT');
    expect(await here.repository.git(['status', '--porcelain'])).toBe('');
    expect(await readFile(join(here.repository.path, '.git', 'info', 'exclude'), 'utf8').catch(() => '')).not.toContain(
      '.claude',
    );
  });

  it('undoes what was done when a later step fails, and lets the same be tried again', async () => {
    await using here = await stage();
    await expect(open(here.sessions, ['no-such-program'])).rejects.toMatchObject({ code: 'agent_not_found' });
    await expect(access(join(here.worktrees, 'agent'))).rejects.toThrow('ENOENT');
    expect(await here.repository.git(['worktree', 'list'])).not.toContain('login');
    expect((await open(here.sessions, ['cat'])).status).toBe('ready');
  });
});
