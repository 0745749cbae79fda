import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hang, lastToolResults, say, useTool, type ModelRequest } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { LOAD, member, newestPrompt, nextEnd, officeStage, reasons } from './office-stage.ts';

const HALF = 'pwd > half.txt && echo "half is done"';
/** Half of the work, then silence; told to go on, it looks at what is there and is done. */
function halfway(request: ModelRequest) {
  const [result] = lastToolResults(request);
  if (/cut short|took too long|gone on with/.test(newestPrompt(request))) {
    const isSeen = result !== undefined && result.text.includes('/') && !result.text.includes('half is done');
    return isSeen ? say('All is done.') : useTool('Bash', { command: 'cat half.txt', description: 'Look' });
  }
  return result === undefined ? useTool('Bash', { command: HALF, description: 'Work' }) : hang({ text: 'Working on' });
}
const isMidway = (request: ModelRequest) => lastToolResults(request).some(({ text }) => text.includes('half is done'));

describe.each(['claude-stream', 'claude'] as const)('a job of %s whose agent is killed midway', LOAD, (kind) => {
  it('is gone on with by another, in the same conversation and folder', async () => {
    const agent = { kind, permissionMode: 'bypassPermissions' } as const;
    await using stage = await officeStage(halfway, { agents: [member('FE', { agent })], warm: {} });
    const { office, model, repository } = stage;
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Build the page.', context: { ticket: 'T-7' } });
    await model.waitForRequest(isMidway);
    await stage.written('half is done');
    const killed = await stage.kill(jobId);
    const kept: unknown[] = [];
    office.on('kept', ({ path, reason }) => kept.push({ path, reason }));
    const result = await office.waitForJob(jobId);
    expect(result).toMatchObject({ outcome: 'completed', text: 'All is done.' });
    expect(reasons(result)).toEqual(['first', 'crash']);
    expect(result.attempts[0]).toMatchObject({ sessionId: killed, error: { code: 'agent_crashed' } });
    expect(result.sessionId).not.toBe(killed);
    // What was said and done before, byte for byte, and then what is asked now.
    const last = model.messages.at(-1)!.rawBody;
    for (const said of ['Build the page.', 'ticket: T-7', 'half is done', 'ended unexpectedly'])
      expect(last).toContain(said);
    // Not committed: it is kept, and whoever looks is told so.
    const { path = '', kept: left } = result.workspace ?? {};
    expect((await readFile(join(path, 'half.txt'), 'utf8')).trim()).toBe(path);
    expect(left?.reason).toMatch(/half\.txt/);
    expect(kept).toContainEqual({ path, reason: left?.reason });
    const { workspace } = (await office.sessions.get(result.sessionId))!;
    expect(await repository.git(['branch', '--list', 'agent/*'])).toContain(String(workspace.branch));
  });
});

describe('a job that takes too long', LOAD, () => {
  it('is given another go in its session', async () => {
    await using stage = await officeStage(halfway, { agents: [member('FE')], warm: {} });
    const { office, model } = stage;
    const job = { agentId: 'FE', prompt: 'Build the page.', options: { timeoutMs: 6000 } };
    const result = await office.executeJob(job);
    expect(result).toMatchObject({ outcome: 'completed', text: 'All is done.' });
    expect(reasons(result)).toEqual(['first', 'timeout']);
    expect(new Set(result.attempts.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(model.messages.at(-1)!.rawBody).toContain('half is done');
  });
});

describe('a job that was cancelled', LOAD, () => {
  it('is gone on with in its conversation, or done anew in the same folder', async () => {
    await using stage = await officeStage(halfway, { agents: [member('FE')], warm: {}, store: true });
    const { office, model } = stage;
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Build the page.' });
    await model.waitForRequest(isMidway);
    await stage.written('half is done');
    const ended = nextEnd(office, jobId);
    await office.cancelJob(jobId);
    const cancelled = await ended;
    expect(cancelled).toMatchObject({ outcome: 'cancelled', error: { code: 'turn_cancelled' } });
    await access(join(String(cancelled.workspace?.path), 'half.txt'));

    const resumed = nextEnd(office, jobId);
    await office.resumeJob(jobId);
    expect(await resumed).toMatchObject({ outcome: 'completed', text: 'All is done.' });
    expect(model.messages.at(-1)!.rawBody).toContain('half is done');

    const before = model.messages.length;
    const again = nextEnd(office, jobId);
    await office.retryJob(jobId);
    const result = await again;
    expect(result).toMatchObject({ outcome: 'completed', text: 'All is done.' });
    expect(reasons(result)).toEqual(['first', 'by_hand', 'by_hand']);
    const told = model.messages.slice(before).map(({ rawBody }) => rawBody);
    expect(told[0]).toContain('not in this conversation');
    expect(told.filter((body) => body.includes('half is done'))).toEqual([]);
    expect((await office.getJob(jobId))?.attempts).toHaveLength(3);
  });
});
