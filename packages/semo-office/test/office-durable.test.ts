import { hang, say, temporaryFolder, type ModelRequest } from '@semo-office/testbed';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { createLocalOffice, memoryJobStore, openLocalOffice } from '../src/index.ts';
import { LOAD, member, newestPrompt, officeStage } from './office-stage.ts';

const answers = (request: ModelRequest) => (newestPrompt(request).includes('Wait') ? hang() : say('Done.'));
const isMidway = (request: ModelRequest) => request.isMessage && newestPrompt(request).includes('Wait');

describe('an office with a store', LOAD, () => {
  it('shares its jobs with a second one, and knows them when both were gone', async () => {
    await using stage = await officeStage(answers, { agents: [member('FE')], warm: {}, store: true });
    const { office, model, options } = stage;
    const store = join(String(options.stateDir), '..', 'office.sqlite');
    const other = await openLocalOffice({ ...options, store, pollMs: 20 });
    const ids: string[] = [];
    for (const prompt of ['One.', 'Two.']) ids.push((await office.submitJob({ agentId: 'FE', prompt })).jobId);
    const results = await Promise.all(ids.map((jobId) => other.waitForJob(jobId)));
    expect(results).toMatchObject([{ outcome: 'completed' }, { outcome: 'completed' }]);
    expect((await other.listJobs({ state: ['ended'] })).map(({ attempts }) => attempts.length)).toEqual([1, 1]);

    const { jobId } = await other.submitJob({ agentId: 'FE', prompt: 'Wait for it.' });
    await model.waitForRequest(isMidway);
    // Cancelled from wherever: whoever is at it learns of it.
    await Promise.all([office.cancelJob(jobId), other.cancelJob(jobId)]);
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'cancelled' });
    await Promise.all([other.close(), office.close()]);
    const third = await openLocalOffice({ ...options, store });
    expect((await third.getJob(jobId))?.state).toMatchObject({ kind: 'ended', result: { outcome: 'cancelled' } });
    await third.close();
  });

  it('says what is wrong with a file, and lets go of it when an option is wrong', async () => {
    await using folder = await temporaryFolder('semo-office-');
    const stateDir = join(folder.path, 'state');
    await expect(openLocalOffice({ store: folder.path, stateDir })).rejects.toMatchObject({ code: 'store_unusable' });
    const store = join(folder.path, 'office.sqlite');
    await expect(openLocalOffice({ store, stateDir, agents: [member('FE'), member('FE')] })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const office = await openLocalOffice({ store, stateDir });
    await Promise.all([office.close(), office.close()]);
    await expect(office.submitJob({ agentId: 'FE', prompt: 'Late.' })).rejects.toMatchObject({ code: 'closed' });
  });

  it('keeps its jobs where it is told to', async () => {
    await using folder = await temporaryFolder('semo-office-');
    const jobs = memoryJobStore();
    const store = join(folder.path, 'office.sqlite');
    const office = await openLocalOffice({ store, jobs, stateDir: join(folder.path, 'state'), warm: {} });
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Go.' });
    expect(await office.waitForJob(jobId)).toMatchObject({ error: { code: 'unknown_agent' } });
    await office.close();
    expect(await jobs.get(jobId)).toMatchObject({ state: { kind: 'ended' } });
  });
});

describe('the memory of the machine', () => {
  it('is asked before a session is opened: what can never fit is told at once', async () => {
    await using folder = await temporaryFolder('semo-office-');
    const office = createLocalOffice({
      stateDir: join(folder.path, 'state'),
      memory: { floorBytes: 0, sessionBytes: 2 ** 60 },
    });
    const session = { agent: { kind: 'shell' }, workspace: { kind: 'path', path: folder.path } } as const;
    const result = await office.executeJob({ prompt: 'true', session });
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'capacity_exhausted' } });
    await office.close();
  });
});

describe('an office that is closed while its crew is on its way', () => {
  it('leaves nobody behind', async () => {
    await using stage = await officeStage(answers);
    const { office } = stage;
    const started = new Promise((resolve) => office.on('started', resolve));
    const job = office.executeJob({ agentId: 'FE', prompt: 'Wait for it.' });
    await started;
    await office.close();
    expect(await job).toMatchObject({ outcome: 'cancelled', error: { code: 'turn_cancelled' } });
    const left = await office.sessions.list().catch(() => []);
    expect(left.filter(({ status }) => status !== 'terminated')).toEqual([]);
  });
});
