import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryJobStore, type JobResult, type JobStore } from '@semo-office/core';
import { openSqliteStore } from '@semo-office/store-sqlite';

import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';

const SIZES: Record<Scale, { readonly jobs: number; readonly rounds: number }> = {
  full: { jobs: 1000, rounds: 7 },
  tiny: { jobs: 4, rounds: 1 },
};

/** What a job with an answer of some length leaves. */
const RESULT: JobResult = {
  outcome: 'completed',
  confidence: 'certain',
  text: 'The test is green. '.repeat(50),
  milestones: [],
  evidence: [],
  attempts: [],
  sessionId: 'ses_1',
  conversationId: null,
  workspace: null,
  durationMs: 1000,
  error: null,
};

/** Takes jobs from their first write to their last, one after the other: put, claimed, started, ended. */
async function work(store: JobStore, jobs: number): Promise<number> {
  const owner = 'office_1';
  const startedAt = performance.now();
  for (let number = 0; number < jobs; number += 1) {
    await store.put({ jobId: `job_${number}`, prompt: 'Make the test green. '.repeat(25), agentId: 'ada' });
    const record = await store.claim({ owner, leaseMs: 60_000 });
    if (record === null) throw new Error('A job that was put could not be claimed.');
    const lease = { jobId: record.jobId, owner, fence: record.fence };
    await store.change(lease, { kind: 'started' });
    await store.change(lease, { kind: 'ended', result: RESULT });
  }
  return jobs / ((performance.now() - startedAt) / 1000);
}

/** What the disk allows at best: four writes a job that are waited for, and nothing else. */
function appends(path: string, jobs: number): number {
  const bytes = Buffer.alloc(4096, 'x');
  const file = openSync(path, 'a');
  const startedAt = performance.now();
  for (let write = 0; write < jobs * 4; write += 1) {
    writeSync(file, bytes);
    fdatasyncSync(file);
  }
  closeSync(file);
  return jobs / ((performance.now() - startedAt) / 1000);
}

/** How many jobs a second can be kept. */
export const keptJobs: Measurement = {
  title: 'Kept jobs: each is put, claimed, started and ended, one after the other',
  async run(scale) {
    const { jobs, rounds } = SIZES[scale];
    const folder = await mkdtemp(join(tmpdir(), 'semo-bench-'));
    const found = { raw: [] as number[], memory: [] as number[], sqlite: [] as number[] };
    try {
      for (let round = 0; round < rounds; round += 1) {
        found.raw.push(appends(join(folder, `raw-${round}`), jobs));
        found.memory.push(await work(memoryJobStore(), jobs));
        const store = await openSqliteStore({ path: join(folder, `office-${round}.sqlite`) });
        found.sqlite.push(await work(store.jobs, jobs));
        await store.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const unit = 'jobs/s';
    return {
      rows: [
        { what: 'raw: four pages a job, each on the disk before the next', unit, figures: figures(found.raw) },
        { what: 'in memory', unit, figures: figures(found.memory) },
        { what: 'SQLite', unit, figures: figures(found.sqlite) },
      ],
      targets: [],
    };
  },
};
