import { describe, expect, it } from 'vitest';

import { FakeClock, createScriptedSessions, describeJobStoreContract } from '../../testing/index.ts';
import { createOffice, memoryJobStore } from '../../src/index.ts';

describeJobStoreContract('in memory', async () => {
  const clock = new FakeClock();
  return { store: memoryJobStore({ clock }), pass: (ms) => clock.advance(ms) };
});

describe('jobs that have ended', () => {
  it('are forgotten where there are too many, the one that ended first at first', async () => {
    const jobs = memoryJobStore({ maxEnded: 2 });
    for (const jobId of ['a', 'b', 'open', 'c', 'd']) await jobs.put({ jobId, prompt: 'Go.', agentId: 'FE' });
    await jobs.requestCancel('b');
    await jobs.requestCancel('a');
    await jobs.reopen('b', 'retry');
    await jobs.requestCancel('c');
    expect((await jobs.list()).map(({ jobId }) => jobId).toSorted()).toEqual(['a', 'b', 'c', 'd', 'open']);
    await jobs.requestCancel('d');
    expect((await jobs.list()).map(({ jobId }) => jobId).toSorted()).toEqual(['b', 'c', 'd', 'open']);
  });

  it('are forgotten by their office after a while', async () => {
    const clock = new FakeClock();
    const jobs = memoryJobStore({ clock });
    const office = createOffice({ sessions: createScriptedSessions(), jobs, clock, keepEndedMs: 1000 });
    const session = {
      agent: { kind: 'command', command: ['scripted'] },
      workspace: { kind: 'path', path: '/work' },
    } as const;
    await office.executeJob({ jobId: 'old', prompt: 'say: hello', session });
    clock.advance(3_600_000);
    await office.executeJob({ jobId: 'new', prompt: 'say: hello', session });
    expect((await office.listJobs()).map(({ jobId }) => jobId)).toEqual(['new']);
    await office.close();
  });
});
