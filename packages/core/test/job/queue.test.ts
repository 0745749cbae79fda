import { describe, expect, it } from 'vitest';

import { memoryJobStore, SemoError, type JobRecord } from '../../src/index.ts';
import { FakeClock, expectError } from '../../testing/index.ts';
import { job, nextEvent, stagedOffice } from './office-stage.ts';

describe('the queue of an office', () => {
  it('does what is submitted, and keeps what came of it', async () => {
    const { office } = stagedOffice();
    const { jobId, state } = await office.submitJob(job());
    expect(state.kind).toBe('queued');
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'completed', text: 'done' });
    expect(await office.getJob(jobId)).toMatchObject({
      state: { kind: 'ended', result: { text: 'done' } },
      attempts: [{ number: 0, reason: 'first', delivery: 'ended', outcome: 'completed' }],
    });
    expect(await office.listJobs({ state: ['ended'] })).toHaveLength(1);
    await office.close();
  });

  it('begins with what matters most', async () => {
    const { office, told } = stagedOffice([], { concurrency: 1, pool: { max: 1 } });
    const first = await office.submitJob(job({ prompt: 'first' }));
    const rest = [
      await office.submitJob(job({ prompt: 'low', priority: -1 })),
      await office.submitJob(job({ prompt: 'high', priority: 5 })),
      await office.submitJob(job({ prompt: 'usual' })),
    ];
    await Promise.all([first, ...rest].map(({ jobId }) => office.waitForJob(jobId)));
    expect(told.map(({ prompt }) => prompt)).toEqual(['first', 'high', 'usual', 'low']);
    await office.close();
  });

  it('gives the same job the same end, and refuses another of its id', async () => {
    const { office, told } = stagedOffice();
    const once = job({ jobId: 'job_1' });
    const [one, other] = await Promise.all([office.executeJob(once), office.executeJob(once)]);
    expect(other).toEqual(one);
    expect(await office.executeJob(once)).toEqual(one);
    expect(told).toHaveLength(1);
    await expectError(office.executeJob(job({ jobId: 'job_1', prompt: 'Other.' })), 'job_conflict');
    await office.close();
  });

  it('cancels what waits and what runs', async () => {
    const { office } = stagedOffice(['hang'], { concurrency: 1 });
    const running = await office.submitJob(job());
    const waiting = await office.submitJob(job());
    await nextEvent(office, 'attempt');
    expect((await office.cancelJob(waiting.jobId)).state.kind).toBe('ended');
    await office.cancelJob(running.jobId);
    expect(await office.waitForJob(running.jobId)).toMatchObject({ outcome: 'cancelled' });
    expect(await office.waitForJob(waiting.jobId)).toMatchObject({ outcome: 'cancelled', attempts: [] });
    await expectError(office.cancelJob('job_none'), 'job_unknown');
    await expectError(office.waitForJob('job_none'), 'job_unknown');
    await office.close();
  });

  it('renews no lease of a job that ended while it was renewed', async () => {
    const clock = new FakeClock();
    const jobs = memoryJobStore({ clock });
    const renewed = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const renew = jobs.renew.bind(jobs);
    let renewals = 0;
    jobs.renew = async (...call) => {
      renewals += 1;
      const record = await renew(...call);
      renewed.resolve();
      await answer.promise;
      return record;
    };
    const { office } = stagedOffice(['wait 15000'], { clock, jobs });
    const accepted = Promise.withResolvers<void>();
    office.on('attempt', ({ attempt }) => attempt.delivery === 'accepted' && accepted.resolve());
    const done = office.executeJob(job());
    await accepted.promise;
    clock.advance(10_000);
    await renewed.promise;
    clock.advance(5000);
    await done;
    answer.resolve();
    // What it does with the answer it does before this.
    await new Promise(setImmediate);
    clock.advance(30_000);
    expect(renewals).toBe(1);
    await office.close();
  });

  it('ends a job whose time is up, wherever it is', async () => {
    const { office } = stagedOffice(['hang', 'hang'], { pool: { max: 1 } });
    const late = { outcome: 'timed_out', error: { code: 'deadline_passed' } };
    const both = [office.executeJob(job({ deadlineMs: 60 })), office.executeJob(job({ deadlineMs: 40 }))];
    expect(await Promise.all(both)).toMatchObject([late, late]);
    await office.close();
  });

  it('ends a job whose time is up while there is no room for it', async () => {
    const clock = new FakeClock();
    const { office, told } = stagedOffice(['hang'], { clock, pool: { max: 1 } });
    const running = await office.submitJob(job());
    await nextEvent(office, 'attempt');
    const waiting = await office.submitJob(job({ deadlineMs: 500 }));
    const ended = office.waitForJob(waiting.jobId);
    clock.advance(500);
    expect((await office.getJob(waiting.jobId))?.state.kind).toBe('queued');
    clock.advance(1);
    const late = { outcome: 'timed_out', error: { code: 'deadline_passed' }, attempts: [] };
    expect(await ended).toMatchObject(late);
    expect((await office.getJob(running.jobId))?.state.kind).toBe('running');
    // Done again it has as much time again.
    await office.retryJob(waiting.jobId);
    const again = office.waitForJob(waiting.jobId);
    clock.advance(501);
    expect(await again).toMatchObject(late);
    expect(told).toHaveLength(1);
    await office.close();
    expect(clock.pending).toBe(0);
  });

  it('ends a job of another office whose time is up while there is no room for it', async () => {
    const clock = new FakeClock();
    const jobs = memoryJobStore({ clock });
    const { office } = stagedOffice(['hang'], { clock, jobs, concurrency: 1, pollMs: 1000 });
    await office.submitJob(job());
    await nextEvent(office, 'attempt');
    await jobs.put({ ...job(), jobId: 'job_late', priority: 0, deadlineMs: 500 });
    const ended = nextEvent(office, 'ended');
    clock.advance(1000);
    await ended;
    expect(await office.waitForJob('job_late')).toMatchObject({ outcome: 'timed_out', attempts: [] });
    await office.close();
  });

  it.each([600_000, -600_000])('gives a job its time whatever the clock of the store says (%d ms off)', async (off) => {
    const clock = new FakeClock();
    const jobs = memoryJobStore({ clock: { now: () => clock.now() + off, schedule: clock.schedule.bind(clock) } });
    const { office } = stagedOffice(['hang'], { clock, jobs, concurrency: 1 });
    const states = async (ids: readonly string[]) =>
      (await Promise.all(ids.map((id) => office.getJob(id)))).map((record) => record?.state.kind);
    const begun = nextEvent(office, 'attempt');
    const { jobId: running } = await office.submitJob(job({ deadlineMs: 1000 }));
    await begun;
    const { jobId: waiting } = await office.submitJob(job({ deadlineMs: 500 }));
    const ends = [running, waiting].map((id) => office.waitForJob(id));
    clock.advance(499);
    expect(await states([running, waiting])).toEqual(['running', 'queued']);
    clock.advance(2);
    expect(await ends[1]).toMatchObject({ outcome: 'timed_out', attempts: [] });
    expect(await states([running])).toEqual(['running']);
    clock.advance(499);
    expect(await ends[0]).toMatchObject({ outcome: 'timed_out', error: { code: 'deadline_passed' } });
    await office.close();
    expect(clock.pending).toBe(0);
  });

  it('does an ended job again, anew or where it stopped', async () => {
    const { office, told } = stagedOffice([{ fails: 'agent_failed' }]);
    const { jobId } = await office.submitJob(job());
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'failed' });
    await office.retryJob(jobId);
    await nextEvent(office, 'ended');
    const record = await office.getJob(jobId);
    expect(record?.attempts.map(({ reason, outcome }) => [reason, outcome])).toEqual([
      ['first', 'failed'],
      ['by_hand', 'completed'],
    ]);
    await office.resumeJob(jobId);
    await nextEvent(office, 'ended');
    expect(told).toHaveLength(3);
    await expectError(office.retryJob('job_none'), 'job_unknown');
    await office.close();
  });

  it('refuses nonsense, and everything once it is closed', async () => {
    const { office } = stagedOffice();
    await expectError(office.submitJob({ prompt: 'x' }), 'invalid_argument');
    await expectError(office.submitJob(job({ agentId: 'FE' })), 'invalid_argument');
    await expectError(office.submitJob(job({ prompt: '' })), 'invalid_prompt');
    await office.close();
    await expectError(office.submitJob(job()), 'closed');
  });
});

describe('the books of an office', () => {
  it('are told of every end, again until they have taken it', async () => {
    const told: string[] = [];
    const faults: string[] = [];
    const taken = Promise.withResolvers<void>();
    const jobService = {
      async onJobComplete({ jobId }: JobRecord) {
        told.push(jobId);
        if (told.length === 1) throw new SemoError('notify_failed', 'No room.');
        if (told.length === 3) taken.resolve();
      },
    };
    const { office } = stagedOffice([], { jobService, onFault: ({ error }) => faults.push(error.message) });
    await office.executeJob(job({ jobId: 'job_1' }));
    await office.executeJob(job({ jobId: 'job_2' }));
    await taken.promise;
    expect({ told, faults }).toEqual({ told: ['job_1', 'job_1', 'job_2'], faults: ['No room.'] });
    await office.close();
    expect(told).toHaveLength(3);
  });

  it('leave a person to be told where only a person can help', async () => {
    const notices: unknown[] = [];
    const notifier = { notify: async (notice: unknown) => void notices.push(notice) };
    const { office } = stagedOffice([{ fails: 'sign_in_refused' }], { notifier });
    await office.executeJob(job({ jobId: 'job_1' }));
    expect(notices).toMatchObject([{ kind: 'job_needs_person', jobId: 'job_1', code: 'sign_in_refused' }]);
    await office.close();
  });
});

describe('two offices on one store', () => {
  it('do each job once', async () => {
    const jobs = memoryJobStore();
    const offices = [0, 1].map(() => stagedOffice([], { jobs, concurrency: 2, pollMs: 5 }));
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const { jobId } = await offices[number % 2]!.office.submitJob(job());
        return jobId;
      }),
    );
    const results = await Promise.all(ids.map((jobId) => offices[0]!.office.waitForJob(jobId)));
    expect(results.every(({ outcome, attempts }) => outcome === 'completed' && attempts.length === 1)).toBe(true);
    expect(offices.reduce((sum, { told }) => sum + told.length, 0)).toBe(20);
    for (const { office } of offices) await office.close();
  });
});
