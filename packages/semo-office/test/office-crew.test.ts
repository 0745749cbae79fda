import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { lastToolResults, say, useTool, type ModelRequest } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import type { AgentProfile, AgentService } from '../src/index.ts';
import { LOAD, member, newestPrompt, officeStage } from './office-stage.ts';

/** Does what the prompt names, in two steps: writes and commits, then says where that was. */
function worker(request: ModelRequest) {
  const [, name] = /Add (\w+)\./.exec(newestPrompt(request)) ?? [];
  const [result] = lastToolResults(request);
  if (result !== undefined && result.text.includes(`work of ${name}`)) return say(result.text);
  const command = `pwd && git branch --show-current && echo "work of ${name}" > ${name}.txt && git add --all && git commit --quiet -m "Add ${name}" && cat ${name}.txt`;
  return useTool('Bash', { command, description: 'Work' });
}

describe('a crew with a repository', LOAD, () => {
  it('is there before its jobs, which commit on branches of their own', async () => {
    const links: string[] = [];
    await using stage = await officeStage((request) => {
      // While the model is asked, the job has its session: the folder is there under the job's name.
      if (newestPrompt(request).includes('Add page.'))
        links.push(readFileSync(join(stage.worktreeRoot, 'agent/FE/login/.git'), 'utf8'));
      return worker(request);
    });
    const { office, repository, worktreeRoot } = stage;
    await office.ready();
    expect((await office.status()).pool).toMatchObject({ warmIdle: 2, inUse: 0 });
    const warm = (await office.sessions.list({ status: ['ready'] })).map(({ sessionId }) => sessionId);
    const [fe, be] = await Promise.all([
      office.executeJob({ agentId: 'FE', prompt: 'Add page.', work: { taskId: 'login' } }),
      office.executeJob({ agentId: 'BE', prompt: 'Add route.' }),
    ]);
    for (const result of [fe, be]) expect(result).toMatchObject({ outcome: 'completed', error: null });
    expect([fe.sessionId, be.sessionId].every((sessionId) => warm.includes(sessionId))).toBe(true);
    expect(fe.workspace).toMatchObject({ branch: 'agent/FE/login', link: join(worktreeRoot, 'agent/FE/login') });
    expect(links).toContainEqual(expect.stringContaining('gitdir:'));
    expect(fe.text.split('\n').slice(0, 2)).toEqual([fe.workspace?.path, 'agent/FE/login']);
    expect(await repository.git(['log', '-1', '--format=%s', 'agent/FE/login'])).toBe('Add page');
    expect(await repository.git(['log', '-1', '--format=%s', String(be.workspace?.branch)])).toBe('Add route');
    expect(be.workspace?.branch).toMatch(/^agent\/BE\/job_/);
    // The folder has gone with its session; the branch is what is left.
    await expect(access(join(worktreeRoot, 'agent/FE/login'))).rejects.toThrow('ENOENT');
    expect(stage.model.failures).toEqual([]);
  });

  it.each([{ reuse: 'recycle' }, { reuse: 'clear' }] as const)(
    'tells the model nothing of the job before ($reuse)',
    async ({ reuse }) => {
      await using stage = await officeStage(worker, { agents: [member('FE')], pool: { reuse } });
      const { office, model } = stage;
      await office.ready();
      const first = await office.executeJob({ agentId: 'FE', prompt: 'Add kumquat.' });
      const before = model.requests.length;
      const second = await office.executeJob({ agentId: 'FE', prompt: 'Add pear.' });
      expect([first.outcome, second.outcome]).toEqual(['completed', 'completed']);
      expect(second.sessionId === first.sessionId).toBe(reuse === 'clear');
      const told = model.requests.slice(before).map(({ rawBody }) => rawBody);
      expect(told.join('')).toContain('Add pear.');
      expect(told.filter((body) => body.includes('kumquat'))).toEqual([]);
      expect(await stage.repository.git(['log', '--format=%s', `main..${second.workspace?.branch}`])).toBe('Add pear');
    },
  );
});

describe('the persona of a crew', LOAD, () => {
  it('may be said differently by a job, as far as it allows', async () => {
    const persona = { name: 'Mina', role: 'FE', prompt: 'Be quick.', overridable: ['prompt'] } as const;
    await using stage = await officeStage(() => say('Done.'), { agents: [member('FE', { persona })], warm: {} });
    const { office, model } = stage;
    const result = await office.executeJob({ agentId: 'FE', prompt: 'Go.', persona: { prompt: 'Be slow.' } });
    expect(result).toMatchObject({ outcome: 'completed', error: null });
    const told = model.messages.map(({ rawBody }) => rawBody).join('');
    expect([told.includes('Be slow.'), told.includes('Be quick.')]).toEqual([true, false]);
    const refused = await office.executeJob({ agentId: 'FE', prompt: 'Go.', persona: { coreSkills: ['CSS'] } });
    expect(refused).toMatchObject({ outcome: 'failed', attempts: [], error: { code: 'invalid_argument' } });
    expect(refused.error?.message).toContain('coreSkills');
  });

  it('replaces the session that was ready once it has changed', async () => {
    let prompt = 'You like tabs.';
    const profile = (): AgentProfile => member('FE', { persona: { name: 'Mina', role: 'FE', prompt } });
    const agents: AgentService = {
      find: async (agentId) => (agentId === 'FE' ? profile() : null),
      list: async () => [profile()],
    };
    await using stage = await officeStage(() => say('Done.'), { agents });
    const { office, model } = stage;
    await office.ready();
    const [before] = await office.sessions.list({ status: ['ready'] });
    prompt = 'You like spaces.';
    const result = await office.executeJob({ agentId: 'FE', prompt: 'Go.' });
    expect(result.outcome).toBe('completed');
    expect(result.sessionId).not.toBe(before?.sessionId);
    const told = model.messages.map(({ rawBody }) => rawBody).join('');
    expect([told.includes('You like spaces.'), told.includes('You like tabs.')]).toEqual([true, false]);
    expect((await office.sessions.get(String(before?.sessionId)))?.status).toBe('terminated');
  });

  it('is asked of the office: somebody it does not have ends a job at once', async () => {
    await using stage = await officeStage(() => say('never'), { agents: [], warm: {} });
    const result = await stage.office.executeJob({ agentId: 'QA', prompt: 'Go.' });
    expect(result).toMatchObject({ outcome: 'failed', attempts: [], error: { code: 'unknown_agent' } });
    expect(result.error?.message).toContain('none');
  });
});
