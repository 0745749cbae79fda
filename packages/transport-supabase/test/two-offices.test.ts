import { createOffice, remoteSessions, type JobSpec, type Office } from '@semo-office/core';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createSupabaseTransport } from '../src/index.ts';
import { fragileHost, fragileLine, type FragileLine } from './fragile-host.ts';
import { PATIENCE, startProject, TIMES, type OfficeOfProject, type Project } from './project.ts';

let project: Project;
beforeAll(async () => {
  project = await startProject();
});
afterAll(() => project[Symbol.asyncDispose]());

const LEASE_MS = 2000;

/** One process of an office, as good as killed once its line is cut for good. */
function officeProcess(ours: OfficeOfProject): { readonly office: Office; readonly line: FragileLine } {
  const { officeId } = ours;
  const { url, secretKey } = project.supabase;
  const line = fragileLine();
  const client = createClient(url, secretKey, { global: { fetch: line.fetch } });
  const transport = createSupabaseTransport({ client, officeId, realtime: false, times: TIMES });
  const office = createOffice({
    sessions: remoteSessions(transport.office(), { pollIntervalMs: 500 }),
    jobs: transport.jobStore(),
    leaseMs: LEASE_MS,
    pollMs: 50,
    hostPatienceMs: 0,
    reportPatienceMs: 100,
    onFault: () => undefined,
  });
  ours.closing(async () => {
    await Promise.all([transport.close(), office.close().catch(() => undefined)]);
  });
  return { office, line };
}

const job = (jobId: string, prompt: string): JobSpec => ({
  jobId,
  prompt,
  session: { agent: { kind: 'command', command: ['scripted'] }, workspace: { kind: 'path', path: '/work' } },
});

describe('two processes of an office', () => {
  it('share the jobs, and the second goes on with those of the first when that is killed, once', async () => {
    const ours = project.office({ realtime: false });
    const host = await fragileHost(project, ours, { hostId: 'h1' });
    const started: string[] = [];
    host.local.on('turn', ({ change, turn }) => (change === 'started' ? started.push(turn.turnId) : undefined));
    const asking = new Promise<string>((resolve) => {
      host.local.on('request', ({ request }) => resolve(request.requestId));
    });
    const [first, second] = [officeProcess(ours), officeProcess(ours)];
    const begun: string[] = [];
    first.office.on('started', ({ job: { jobId } }) => begun.push(`first ${jobId}`));
    second.office.on('started', ({ job: { jobId } }) => begun.push(`second ${jobId}`));
    void first.office.executeJob(job('job_1', 'ask: Bash')).catch(() => undefined);
    const requestId = await asking;
    // The turn is known to be accepted before its office is killed.
    const delivery = async () => (await second.office.getJob('job_1'))?.attempts[0]?.delivery;
    await expect.poll(delivery, PATIENCE).toBe('accepted');
    const left = new Promise<void>((resolve) => void first.office.on('left', () => resolve()));
    await first.line.cut();
    // The second one has it as soon as its lease is over, and follows the turn that runs.
    await expect.poll(() => begun, PATIENCE).toEqual(['first job_1', 'second job_1']);
    const done = second.office.waitForJob('job_1');
    await host.local.answerRequest(requestId, { behavior: 'allow' });
    expect(await done).toMatchObject({ outcome: 'completed', text: 'allowed', attempts: [{ reason: 'first' }] });
    // The first one is back, and can say nothing of it any more.
    first.line.mend();
    await left;
    for (const jobId of ['job_2', 'job_3']) await second.office.submitJob(job(jobId, 'say: done'));
    const results = await Promise.all(['job_2', 'job_3'].map((jobId) => second.office.waitForJob(jobId)));
    expect(results.map(({ text }) => text)).toEqual(['done', 'done']);
    const jobs = begun.map((each) => each.split(' ')[1] ?? '');
    expect(jobs.toSorted((one, other) => one.localeCompare(other))).toEqual(['job_1', 'job_1', 'job_2', 'job_3']);
    expect(started).toHaveLength(3);
    expect(await second.office.getJob('job_1')).toMatchObject({ endings: 1, state: { kind: 'ended' } });
    await ours.close();
  });
});
