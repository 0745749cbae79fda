import { describe, expect, it } from 'vitest';

import {
  memoryJobStore,
  type AgentProfile,
  type JobRecord,
  type JobResult,
  type OfficeOptions,
} from '../../src/index.ts';
import { nextEvent, stagedOffice, type Doings } from './office-stage.ts';

const agents: AgentProfile[] = [
  {
    agentId: 'FE',
    agent: { kind: 'command', command: ['scripted'] },
    workspace: { kind: 'git', repoId: 'app' },
  },
];
const LEFT = { reason: 'It has 1 uncommitted change.' };

const crewOffice = (doings: Doings, options: Partial<OfficeOptions> = {}) =>
  stagedOffice(doings, { agents, ...options });

describe('the result of a job in a worktree', () => {
  it.each(['warm', 'cold'])('says what was kept, and why, to all who are told: %s', async (how) => {
    const books: JobResult[] = [];
    const jobService = { onJobComplete: async (_: JobRecord, result: JobResult) => void books.push(result) };
    const { office } = crewOffice(['dirty\nsay: done'], { jobService, warm: how === 'warm' ? { FE: 1 } : {} });
    await office.ready();
    const steps: string[] = [];
    office.on('kept', ({ path, reason }) => steps.push(`kept ${path} ${reason}`));
    office.on('ended', ({ result }) => steps.push(`ended ${result.workspace?.kept?.reason}`));
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Go.' });
    const result = await office.waitForJob(jobId);
    const branch = `agent/FE/${jobId}`;
    expect(result).toMatchObject({ outcome: 'completed', workspace: { kind: 'git', branch, kept: LEFT } });
    expect((await office.getJob(jobId))?.state).toMatchObject({ result: { workspace: { kept: LEFT } } });
    expect(steps).toEqual([`kept ${result.workspace?.path} ${LEFT.reason}`, `ended ${LEFT.reason}`]);
    await office.close();
    expect(books).toEqual([result]);
  });

  it('says that it is gone, where nothing was left in it', async () => {
    const { office } = crewOffice([], { warm: {} });
    const { workspace } = await office.executeJob({ agentId: 'FE', prompt: 'Go.' });
    expect(workspace?.kept).toBeNull();
    await office.close();
  });

  it('says so too where the last attempt never got a session', async () => {
    const { office } = crewOffice(['dirty\ncrash'], { warm: {} });
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Go.' });
    office.on('kept', () => void office.cancelJob(jobId));
    const result = await office.waitForJob(jobId);
    expect(result).toMatchObject({ outcome: 'cancelled', workspace: { branch: `agent/FE/${jobId}`, kept: LEFT } });
    await office.close();
  });

  it('does not wait for a session that is used again', async () => {
    const { office } = crewOffice([], { warm: { FE: 1 }, pool: { reuse: 'clear' } });
    await office.ready();
    const { workspace, sessionId } = await office.executeJob({ agentId: 'FE', prompt: 'Go.' });
    expect(workspace).not.toHaveProperty('kept');
    expect((await office.sessions.get(sessionId))?.status).toBe('ready');
    await office.close();
  });

  it('is known to the next office, where this one was lost before it was written down', async () => {
    const jobs = memoryJobStore();
    const change = jobs.change.bind(jobs);
    const shared = { jobs, pollMs: 5, leaseMs: 100, warm: {} };
    const one = crewOffice(['dirty\nsay: done'], { ...shared, onFault: () => undefined });
    let isLost = false;
    jobs.change = async (ref, what) => {
      isLost ||= what.kind === 'ended';
      if (isLost) throw new Error('The machine is gone.');
      return change(ref, what);
    };
    const { jobId } = await one.office.submitJob({ agentId: 'FE', prompt: 'Go.' });
    await nextEvent(one.office, 'left');
    jobs.change = change;
    const other = crewOffice([], { ...shared, sessions: one.sessions });
    const result = await other.office.waitForJob(jobId);
    expect(result).toMatchObject({ outcome: 'completed', workspace: { kept: LEFT } });
    expect(one.told).toHaveLength(1);
    await other.office.close();
    await one.office.close();
  });
});
