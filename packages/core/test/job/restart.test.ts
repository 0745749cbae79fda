import { describe, expect, it } from 'vitest';

import { SemoError, turnError, type SessionSpec } from '../../src/index.ts';
import { job, nextEvent } from './office-stage.ts';
import { leftJob, restartStage } from './restart-stage.ts';

const spec = (sessionId: string, more: Partial<SessionSpec> = {}): SessionSpec => ({
  sessionId,
  agent: { kind: 'command', command: ['scripted'] },
  workspace: { kind: 'path', path: '/work' },
  ...more,
});

const living = async (host: ReturnType<typeof restartStage>['host']): Promise<string[]> =>
  (await host.list()).filter(({ status }) => status !== 'terminated').map(({ sessionId }) => sessionId);

describe('an office after one that was killed', () => {
  it('follows a turn that goes on', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await stage.host.sendPrompt('ses_1', 'wait: 30\nsay: went on', { turnId: 'turn_1' });
    await leftJob(stage, [{ delivery: 'accepted' }]);
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'completed', text: 'went on' });
    expect(stage.told).toEqual([]);
    expect((await office.getJob('job_1'))?.attempts).toMatchObject([{ number: 0, outcome: 'completed' }]);
    await office.close();
    expect(await living(stage.host)).toEqual([]);
  });

  it('sends a prompt that was never sent, once, in the same attempt and as the same turn', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await leftJob(stage, [{ delivery: 'intent' }], { prompt: 'say: sent' });
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'completed', text: 'sent' });
    expect(stage.told).toEqual([{ sessionId: 'ses_1', turnId: 'turn_1', prompt: 'say: sent' }]);
    expect((await office.getJob('job_1'))?.attempts).toHaveLength(1);
    await office.close();
  });

  it('ends a session that was being made, and makes another for the same attempt', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await leftJob(stage, [{ delivery: 'opening' }], { prompt: 'say: anew' });
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'completed', text: 'anew' });
    expect((await stage.host.get('ses_1'))?.status).toBe('terminated');
    expect((await office.getJob('job_1'))?.attempts).toMatchObject([{ reason: 'first', outcome: 'completed' }]);
    expect(stage.told).toMatchObject([{ sessionId: expect.not.stringMatching('^ses_1$'), prompt: 'say: anew' }]);
    await office.close();
  });

  it('resumes what its host lost in the middle, and says why', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await stage.host.sendPrompt('ses_1', 'crash', { turnId: 'turn_1' });
    await leftJob(stage, [{ delivery: 'accepted' }]);
    const office = stage.office();
    const { outcome, attempts } = await office.waitForJob('job_1');
    expect({ outcome, reasons: attempts.map(({ reason }) => reason) }).toEqual({
      outcome: 'completed',
      reasons: ['first', 'crash'],
    });
    expect(stage.told).toMatchObject([{ prompt: expect.stringContaining('ended unexpectedly') }]);
    await office.close();
  });

  it('never sends again what may have arrived: only a person can look', async () => {
    const stage = restartStage();
    await leftJob(stage, [{ delivery: 'accepted' }]);
    const notices: unknown[] = [];
    const office = stage.office({ notifier: { notify: async (notice) => void notices.push(notice) } });
    expect(await office.waitForJob('job_1')).toMatchObject({
      outcome: 'unknown',
      error: { code: 'delivery_unknown' },
      attempts: [{ outcome: 'unknown' }],
    });
    expect({ told: stage.told, notices }).toMatchObject({ told: [], notices: [{ code: 'delivery_unknown' }] });
    await office.close();
  });

  it('does not do again what had completed, and only was not written down as the end', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await stage.host.sendPrompt('ses_1', 'say: was done', { turnId: 'turn_1' });
    await stage.host.waitForTurn('ses_1', 'turn_1');
    await leftJob(stage, [{ delivery: 'ended', endedAt: 1, outcome: 'completed' }]);
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'completed', text: 'was done', error: null });
    expect(stage.told).toEqual([]);
    await office.close();
    expect(await living(stage.host)).toEqual([]);
  });

  it('counts the failures of before, but not those of before the job was begun by hand', async () => {
    const stage = restartStage();
    const crashed = { endedAt: 1, outcome: 'crashed', error: turnError('agent_crashed', 'It fell.') } as const;
    const failed = { ...crashed, delivery: 'ended' } as const;
    await leftJob(stage, [failed, { ...failed, reason: 'crash' }]);
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'crashed', attempts: [{}, {}] });
    expect(stage.told).toEqual([]);
    await office.retryJob('job_1');
    await nextEvent(office, 'ended');
    expect((await office.getJob('job_1'))?.attempts.map(({ reason }) => reason)).toEqual(['first', 'crash', 'by_hand']);
    await office.close();
  });

  it('cancels what was to be cancelled meanwhile, and sends nothing for it', async () => {
    const stage = restartStage();
    for (const id of ['ses_1', 'ses_2']) await stage.host.create(spec(id));
    await stage.host.sendPrompt('ses_1', 'hang', { turnId: 'turn_1' });
    await leftJob(stage, [{ delivery: 'accepted' }]);
    expect((await stage.jobs.requestCancel('job_1')).state.kind).toBe('running');
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({
      outcome: 'cancelled',
      attempts: [{ outcome: 'cancelled' }],
    });
    await office.close();
    expect({ told: stage.told, living: await living(stage.host) }).toEqual({ told: [], living: ['ses_2'] });
  });

  it('cancels before it has sent what was never sent', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await leftJob(stage, [{ delivery: 'intent' }]);
    await stage.jobs.requestCancel('job_1');
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'cancelled' });
    await office.close();
    expect({ told: stage.told, living: await living(stage.host) }).toEqual({ told: [], living: [] });
  });

  it('ends a job whose time has run out meanwhile', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await stage.host.sendPrompt('ses_1', 'hang', { turnId: 'turn_1' });
    await leftJob(stage, [{ delivery: 'accepted' }], { deadlineMs: 1 });
    const office = stage.office();
    expect(await office.waitForJob('job_1')).toMatchObject({
      outcome: 'timed_out',
      error: { code: 'deadline_passed' },
    });
    await office.close();
  });
});

describe('a host that is away', () => {
  it('is waited for, by an office that comes up before it', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1'));
    await stage.host.sendPrompt('ses_1', 'say: was here', { turnId: 'turn_1' });
    await leftJob(stage, [{ delivery: 'accepted' }]);
    let asked = 0;
    const get: typeof stage.host.get = async (id) => {
      asked += 1;
      if (asked === 1) throw new SemoError('host_lost', 'Away.');
      return stage.host.get(id);
    };
    const office = stage.office({}, { get });
    const waits: string[] = [];
    office.on('waiting', ({ wait }) => waits.push(wait.for));
    expect(await office.waitForJob('job_1')).toMatchObject({ outcome: 'completed', text: 'was here' });
    expect(waits).toEqual(['host']);
    await office.close();
  });

  it('in the middle of a turn is asked what became of it before anything is sent again', async () => {
    const stage = restartStage();
    let lost = false;
    const waitForTurn: typeof stage.host.waitForTurn = async (...all) => {
      if (lost) return stage.host.waitForTurn(...all);
      lost = true;
      throw new SemoError('host_lost', 'Away.');
    };
    const office = stage.office({}, { waitForTurn });
    const result = await office.executeJob(job({ prompt: 'wait: 20\nsay: done' }));
    expect(result).toMatchObject({ outcome: 'completed', text: 'done', attempts: [{ reason: 'first' }] });
    expect(stage.told).toHaveLength(1);
    await office.close();
  });

  it('that was started again before the prompt was sent is given it in a new session', async () => {
    const stage = restartStage();
    let ended = false;
    const sendPrompt: typeof stage.host.sendPrompt = async (sessionId, ...rest) => {
      if (!ended) await stage.host.terminate(sessionId);
      ended = true;
      return stage.host.sendPrompt(sessionId, ...rest);
    };
    const office = stage.office({}, { sendPrompt });
    const result = await office.executeJob(job({ prompt: 'say: done' }));
    expect(result).toMatchObject({ outcome: 'completed', text: 'done', attempts: [{ reason: 'first' }] });
    await office.close();
  });
});

describe('an office that lets go of its jobs', () => {
  it('by closing leaves their sessions to the next one', async () => {
    const stage = restartStage();
    const first = stage.office();
    const { jobId } = await first.submitJob(job({ prompt: 'wait: 100\nsay: went on' }));
    await untilAccepted(first);
    await first.close({ running: 'leave' });
    const [sessionId] = await living(stage.host);
    expect(await stage.jobs.get(jobId)).toMatchObject({ lease: null, attempts: [{ sessionId, delivery: 'accepted' }] });
    const next = stage.office();
    expect(await next.waitForJob(jobId)).toMatchObject({
      outcome: 'completed',
      text: 'went on',
      attempts: [{ sessionId }],
    });
    expect(stage.told).toHaveLength(1);
    await next.close();
    expect(await living(stage.host)).toEqual([]);
  });

  it('by closing with its sessions has them done by the next one, unless somebody cancelled them', async () => {
    const stage = restartStage();
    const first = stage.office();
    const left = await first.submitJob(job({ prompt: 'hang' }));
    await untilAccepted(first);
    await first.close({ running: 'leave' });
    const [sessionId] = await living(stage.host);
    await stage.host.terminate(sessionId!);
    const next = stage.office();
    const attempted = Promise.withResolvers<void>();
    next.on('attempt', ({ attempt }) => attempt.number === 1 && attempt.delivery === 'accepted' && attempted.resolve());
    next.on('ended', () => attempted.resolve());
    await attempted.promise;
    expect((await next.getJob(left.jobId))?.attempts).toMatchObject([
      { outcome: 'crashed', error: { code: 'agent_crashed' } },
      { reason: 'crash' },
    ]);
    await next.cancelJob(left.jobId);
    expect(await next.waitForJob(left.jobId)).toMatchObject({ outcome: 'cancelled' });
    await next.close();
  });

  it('because it stalled writes nothing more, and leaves the session', async () => {
    const stage = restartStage();
    const office = stage.office({ leaseMs: 100 });
    const { jobId } = await office.submitJob(job({ prompt: 'hang' }));
    await untilAccepted(office);
    const renew = stage.jobs.renew.bind(stage.jobs);
    const lost = Promise.withResolvers<void>();
    // As if it had stood still for longer than its lease: another one has the job by now.
    stage.jobs.renew = async (ref, leaseMs) => {
      const record = await renew(ref, leaseMs);
      if (ref.owner === 'off_other') return record;
      stage.jobs.renew = renew;
      await stage.jobs.change(ref, { kind: 'released' });
      await stage.jobs.claim({ owner: 'off_other', leaseMs: 60_000 });
      lost.resolve();
      throw new SemoError('lease_lost', 'It is another one’s.');
    };
    await lost.promise;
    await office.close();
    const [sessionId] = await living(stage.host);
    expect(await stage.jobs.get(jobId)).toMatchObject({
      state: { kind: 'running' },
      lease: { owner: 'off_other' },
      attempts: [{ sessionId, delivery: 'accepted', endedAt: null }],
    });
  });

  it('shares the others with the next one, each done once', async () => {
    const stage = restartStage();
    await leftJob(stage, []);
    const offices = [stage.office(), stage.office()];
    const results = await Promise.all(offices.map((office) => office.waitForJob('job_1')));
    expect(results[0]).toEqual(results[1]);
    expect(stage.told).toHaveLength(1);
    for (const office of offices) await office.close();
  });
});

describe('the sessions of an office that was killed', () => {
  it('are ended by the next one of its name, but for those of jobs', async () => {
    const stage = restartStage();
    await stage.host.create(spec('ses_1', { owner: 'main/off_dead' }));
    await stage.host.sendPrompt('ses_1', 'hang', { turnId: 'turn_1' });
    await stage.host.create(spec('ses_warm', { owner: 'main/off_dead' }));
    await stage.host.create(spec('ses_other', { owner: 'other/off_1' }));
    await stage.host.create(spec('ses_nobody'));
    const { jobId } = await leftJob(stage, [{ delivery: 'accepted' }]);
    const gone = new Promise<void>((resolve) => {
      stage.host.on('exit', ({ sessionId }) => sessionId === 'ses_warm' && resolve());
    });
    const office = stage.office({ officeId: 'main' });
    await gone;
    expect(await living(stage.host)).toEqual(['ses_1', 'ses_other', 'ses_nobody']);
    await office.cancelJob(jobId);
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'cancelled' });
    await office.close();
    expect(await living(stage.host)).toEqual(['ses_other', 'ses_nobody']);
  });
});

/** Resolves when a prompt of that office has been accepted. */
function untilAccepted(office: ReturnType<ReturnType<typeof restartStage>['office']>): Promise<void> {
  return new Promise((resolve) => {
    office.on('attempt', ({ attempt }) => attempt.delivery === 'accepted' && resolve());
  });
}
