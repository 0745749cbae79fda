import { access, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGitRepository, lastToolResults, promptTexts, say, temporaryFolder, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage } from '../claude-stage.ts';

const persona = { name: 'Mina', role: 'FE', prompt: 'Small, tested steps.' };
const work =
  'echo done > work.txt && git add --all && git commit --quiet -m "Do the work" && git status --short --branch';

describe('a warm session of Claude Code in a slot', () => {
  it('is given a job, commits on its branch and ends clean', async () => {
    await using repository = await createGitRepository();
    await using worktrees = await temporaryFolder('semo-worktrees-');
    const root = join(worktrees.path, 'root');
    await using stage = await claudeStage(
      (request) => {
        const [result] = lastToolResults(request);
        if (promptTexts(request).at(-1) !== 'Do the work.') return say('A clean place.');
        return result === undefined ? useTool('Bash', { command: work, description: 'Work' }) : say(result.text);
      },
      { kind: 'claude-stream', repositories: { app: repository.path }, worktreeRoot: root },
    );
    const workspace = { kind: 'slot', repoId: 'app' } as const;
    const slot = await stage.sessions.create(stage.spec({ workspace, persona }));
    const { sessionId } = slot;
    const link = join(root, 'agent', 'FE', 'fe-7');
    const path = join(root, 'slot', 'FE', sessionId);
    expect(slot.workspace).toEqual({ kind: 'git', path, repoId: 'app' });

    const assigned = await stage.sessions.assign(sessionId, { branch: 'agent/fe-7', taskId: 'fe-7' });
    expect(assigned).toMatchObject({ worktreeId: 'agent/fe-7', workspace: { path, branch: 'agent/fe-7', link } });
    expect(await readlink(link)).toBe(path);
    const turn = await stage.ask(sessionId, 'Do the work.');
    // What it committed is all there is: its persona is not seen.
    expect(turn).toMatchObject({
      state: { outcome: 'completed' },
      text: expect.stringMatching(/^## agent\/fe-7$/m) as string,
    });
    expect(turn.text).not.toContain('.claude');
    expect(await repository.git(['log', '-1', '--format=%s', 'agent/fe-7'])).toBe('Do the work');

    await stage.sessions.reset(sessionId);
    await stage.sessions.assign(sessionId, { branch: 'agent/fe-8', base: 'agent/fe-7', taskId: 'fe-8' });
    expect((await stage.ask(sessionId, 'Look around.')).state).toMatchObject({ outcome: 'completed' });
    await expect(access(link)).rejects.toThrow('ENOENT');

    await stage.sessions.terminate(sessionId);
    expect((await stage.sessions.get(sessionId))?.workspace).toMatchObject({ branch: 'agent/fe-8', kept: null });
    await expect(access(root)).rejects.toThrow('ENOENT');
    expect(await repository.git(['branch', '--list', 'agent/*'])).toBe('  agent/fe-7');
    expect(await repository.git(['worktree', 'list'])).not.toContain('slot');
    expect(await repository.git(['rev-list', '--count', 'main..agent/fe-7'])).toBe('1');
  });

  it('is refused a branch whose settings it would not heed', async () => {
    const files = { 'README.md': '# App\n', '.claude/settings.json': '{"permissions":{"deny":["Bash(rm:*)"]}}' };
    await using repository = await createGitRepository({ files });
    await using stage = await claudeStage(() => say('unreached'), {
      kind: 'claude-stream',
      repositories: { app: repository.path },
    });
    const branchWith = async (branch: string, settings: object) => {
      await repository.git(['switch', '--quiet', '-c', branch, 'main']);
      await writeFile(join(repository.path, '.claude', 'settings.json'), JSON.stringify(settings));
      await repository.git(['commit', '--quiet', '--all', '-m', 'Change the settings']);
    };
    await branchWith('broken', { permissions: { deny: 'Bash' } });
    await branchWith('limited', { allowedHttpHookUrls: ['https://example.invalid'] });
    const { sessionId } = await stage.sessions.create(
      stage.spec({ workspace: { kind: 'slot', repoId: 'app', base: 'main' } }),
    );
    const assign = (base: string) => stage.sessions.assign(sessionId, { branch: `job/${base}`, base });
    await expect(assign('broken')).rejects.toMatchObject({ code: 'invalid_settings' });
    await expect(assign('limited')).rejects.toMatchObject({ code: 'workspace_dirty', details: { kind: 'settings' } });
    expect(await assign('main')).toMatchObject({ worktreeId: 'job/main' });
  });
});
