import { describe, expect, it } from 'vitest';

import { memoryJobStore, type JobRecord, type JobService, type OfficeFault } from '../../src/index.ts';
import { JobReports } from '../../src/job/job-reports.ts';
import { FakeClock } from '../../testing/index.ts';
import { job, stagedOffice } from './office-stage.ts';

const PATIENCE_MS = 100;

/** The books of an office, which answer as they are told to, and jobs that have ended. */
async function books(...jobIds: string[]) {
  const clock = new FakeClock();
  const jobs = memoryJobStore({ clock });
  for (const jobId of jobIds) {
    await jobs.put({ ...job(), jobId });
    await jobs.requestCancel(jobId);
    clock.advance(1);
  }
  const told: string[] = [];
  const faults: (string | null)[] = [];
  const answers = new Map<string, PromiseWithResolvers<void>>();
  const service: JobService = {
    onJobComplete({ jobId, endings }: JobRecord) {
      told.push(`${jobId} ${endings}`);
      return answers.get(`${jobId} ${endings}`)?.promise ?? Promise.resolve();
    },
  };
  const holdUp = (end: string): PromiseWithResolvers<void> => {
    const answer = Promise.withResolvers<void>();
    answers.set(end, answer);
    return answer;
  };
  const open = () =>
    new JobReports({ jobs, service, clock, patienceMs: PATIENCE_MS, onFault: (_, jobId) => faults.push(jobId) });
  const untold = async (): Promise<string[]> => (await jobs.list({ reported: false })).map(({ jobId }) => jobId);
  return { clock, jobs, told, faults, holdUp, open, untold };
}

/** Lets everything happen that waits for nothing but its turn. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('reports of ends', () => {
  it('are made while another one is not answered, which is made once', async () => {
    const { told, untold, holdUp, open, jobs, faults } = await books('job_1', 'job_2');
    const late = holdUp('job_1 1');
    const reports = open();
    await reports.tell();
    await settle();
    expect(await untold()).toEqual(['job_1']);
    await jobs.put({ ...job(), jobId: 'job_3' });
    await jobs.requestCancel('job_3');
    await reports.tell();
    await settle();
    expect(told).toEqual(['job_1 1', 'job_2 1', 'job_3 1']);
    late.resolve();
    await reports.close();
    expect(await untold()).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('that hang, however many, hold up others only for so long, and may be answered late', async () => {
    const hung = Array.from({ length: 8 }, (_, number) => `job_${number}`);
    const { told, untold, holdUp, open, clock, faults } = await books(...hung, 'job_last');
    const answers = hung.map((jobId) => holdUp(`${jobId} 1`));
    const reports = open();
    await reports.tell();
    await settle();
    expect(told).not.toContain('job_last 1');
    clock.advance(PATIENCE_MS);
    await settle();
    expect(told).toContain('job_last 1');
    expect(faults).toEqual(hung);
    answers[0]?.resolve();
    await settle();
    expect(await untold()).toEqual(hung.slice(1));
    // Nobody waits for them a second time, nor tells of them again.
    await reports.close();
    expect(told).toHaveLength(9);
    expect(faults).toEqual(hung);
    expect(clock.pending).toBe(0);
  });

  it('are waited for when the office closes, and then left to the next one', async () => {
    const { told, untold, holdUp, open, clock, faults } = await books('job_1', 'job_2');
    const late = holdUp('job_1 1');
    const closing = open().close();
    let isClosed = false;
    void closing.then(() => (isClosed = true));
    await settle();
    clock.advance(PATIENCE_MS - 1);
    await settle();
    expect(isClosed).toBe(false);
    clock.advance(1);
    await closing;
    expect(faults).toEqual(['job_1']);
    // Too late: this office has let go of the store.
    late.resolve();
    await settle();
    expect(await untold()).toEqual(['job_1']);
    await open().close();
    expect(told).toEqual(['job_1 1', 'job_2 1', 'job_1 1']);
    expect(await untold()).toEqual([]);
  });

  it('of one end say nothing of the next, however late they are answered', async () => {
    const { told, untold, holdUp, open, jobs } = await books('job_1');
    const late = holdUp('job_1 1');
    const failing = holdUp('job_1 2');
    const reports = open();
    await reports.tell();
    await jobs.reopen('job_1', 'retry');
    await jobs.requestCancel('job_1');
    await reports.tell();
    expect(told).toEqual(['job_1 1', 'job_1 2']);
    failing.reject(new Error('No books today.'));
    late.resolve();
    await settle();
    expect(await untold()).toEqual(['job_1']);
    await reports.close();
  });
});

describe('an office whose books never answer', () => {
  it('goes on, closes in time, and tells of it', async () => {
    const jobs = memoryJobStore();
    const told: string[] = [];
    const jobService: JobService = {
      onJobComplete: ({ jobId }) => {
        told.push(jobId);
        return jobId === 'job_1' ? new Promise(() => undefined) : Promise.resolve();
      },
    };
    const faults: OfficeFault[] = [];
    const onFault = (fault: OfficeFault): void => void faults.push(fault);
    const { office } = stagedOffice([], { jobs, jobService, reportPatienceMs: 20, onFault });
    const events: OfficeFault[] = [];
    office.on('fault', (fault) => events.push(fault));
    for (const jobId of ['job_1', 'job_2']) await office.executeJob(job({ jobId }));
    await office.close();
    expect(told).toEqual(['job_1', 'job_2']);
    expect(faults).toMatchObject([{ jobId: 'job_1', error: { code: 'wait_timed_out' } }]);
    expect(events).toEqual(faults);
    expect(await jobs.list({ reported: false })).toMatchObject([{ jobId: 'job_1', endings: 1 }]);
  });
});
