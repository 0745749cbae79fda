import { describe, expect, it, vi } from 'vitest';

import {
  memoryJobStore,
  SemoError,
  type AgentProfile,
  type AgentService,
  type JobResult,
  type OfficeFault,
  type OfficeOptions,
  type RunLine,
  type SessionManager,
  type WorktreeService,
} from '../../src/index.ts';
import { FakeClock, createScriptedSessions, expectError } from '../../testing/index.ts';
import { job, nextEvent, stagedOffice } from './office-stage.ts';

const profile: AgentProfile = {
  agentId: 'FE',
  agent: { kind: 'command', command: ['scripted'] },
  workspace: { kind: 'path', path: '/work' },
};
const never = (): Promise<never> => new Promise(() => undefined);
const broken = async (): Promise<never> => {
  throw new Error('No books today.');
};

/** Sessions that refuse one thing. */
function refusing(what: 'create' | 'terminate', error: SemoError): SessionManager {
  const refuse = async (): Promise<never> => {
    throw error;
  };
  return new Proxy(createScriptedSessions(), {
    get(target, name): unknown {
      const value: unknown = name === what ? refuse : Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** An office with those agents, and what it told of faults. */
function unruly(agents: AgentService | AgentProfile[], options: Partial<OfficeOptions> = {}) {
  const faults: OfficeFault[] = [];
  const stage = stagedOffice([], { agents, onFault: (fault) => faults.push(fault), ...options });
  return { ...stage, faults };
}

describe('an agent service', () => {
  it('that cannot list its agents keeps nobody ready, and jobs go on', async () => {
    const { office, faults } = unruly({ find: async () => profile, list: broken });
    await office.ready();
    expect(await office.executeJob({ agentId: 'FE', prompt: 'Go.' })).toMatchObject({ outcome: 'completed' });
    expect(faults[0]).toMatchObject({ jobId: null, error: { message: 'No books today.' } });
    await office.close();
  });

  it('with one agent that cannot be used keeps the others ready', async () => {
    const list = async () => [{ agentId: 'BE' } as AgentProfile, profile];
    const { office, faults } = unruly({ find: async () => profile, list });
    await office.ready();
    expect((await office.status()).pool.warmIdle).toBe(1);
    expect(faults).toMatchObject([{ error: { code: 'invalid_argument' } }]);
    await office.close();
  });

  it('that throws once is asked again', async () => {
    let asked = 0;
    const find = async (): Promise<AgentProfile> => ((asked += 1) === 1 ? broken() : profile);
    const { office, faults } = unruly({ find, list: async () => [] });
    const waits: unknown[] = [];
    office.on('waiting', ({ wait }) => waits.push(wait));
    expect(await office.executeJob({ agentId: 'FE', prompt: 'Go.' })).toMatchObject({ outcome: 'completed' });
    expect({ asked, waits, faults }).toEqual({ asked: 2, waits: [{ for: 'backoff', untilAt: null }], faults: [] });
    await office.close();
  });

  it('that throws, or gives nonsense, ends the job with the reason', async () => {
    const thrown = unruly({ find: broken, list: async () => [] });
    expect(await thrown.office.executeJob({ agentId: 'FE', prompt: 'Go.' })).toMatchObject({
      outcome: 'failed',
      error: { message: 'No books today.' },
    });
    await thrown.office.close();
    const nonsense = unruly({ find: async () => ({ agentId: 3 }) as never, list: async () => [] });
    expect(await nonsense.office.executeJob({ agentId: 'FE', prompt: 'Go.' })).toMatchObject({
      error: { code: 'invalid_argument' },
    });
    await nonsense.office.close();
  });

  it('that never answers holds no job beyond its time, nor its cancellation', async () => {
    const { office } = unruly({ find: never, list: async () => [] });
    expect(await office.executeJob({ agentId: 'FE', prompt: 'Go.', deadlineMs: 20 })).toMatchObject({
      outcome: 'timed_out',
      error: { code: 'deadline_passed' },
    });
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Go.' });
    await office.cancelJob(jobId);
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'cancelled' });
    await office.close();
  });
});

describe('a listener of a job', () => {
  it('that throws changes nothing about its result', async () => {
    const { office, faults } = unruly([profile]);
    const onLine = ({ type }: RunLine): void => {
      if (type === 'result') throw new Error('The pipe is closed.');
    };
    const result = await office.executeJob({ agentId: 'FE', jobId: 'job_1', prompt: 'Go.' }, { onLine });
    expect(result).toMatchObject({ outcome: 'completed' });
    expect(faults).toMatchObject([{ jobId: 'job_1', error: { message: 'The pipe is closed.' } }]);
    await office.close();
  });
});

describe('a session that cannot be', () => {
  it('opened is told by the office, with its role and when it is tried again', async () => {
    const refusal = new SemoError('workspace_not_found', 'There is no such folder.');
    const { office, faults } = unruly([profile], { sessions: refusing('create', refusal) });
    const told: unknown[] = [];
    office.on('pool_fault', (fault) => told.push(fault));
    await office.ready();
    const error = { code: 'workspace_not_found' };
    expect(told).toMatchObject([{ kind: 'open_failed', role: 'FE', retryInMs: 300_000, error }]);
    expect(faults).toMatchObject([{ jobId: null, error }]);
    await office.close();
  });

  it('or ended is told of until the office is closed', async () => {
    const clock = new FakeClock();
    const failing = refusing('terminate', new SemoError('host_lost', 'Gone.'));
    const { office } = unruly([profile], { sessions: failing, clock });
    await office.ready();
    const told: string[] = [];
    office.on('pool_fault', ({ kind }) => told.push(kind));
    const closing = office.close();
    while (told.length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(10_000);
    }
    await closing;
    expect(told).toEqual(['end_failed', 'end_failed', 'end_failed']);
  });
});

describe('a worktree service', () => {
  it('that fails to clear up leaves the job its end', async () => {
    const git: AgentProfile = { ...profile, workspace: { kind: 'git', repoId: 'app' } };
    const worktrees: WorktreeService = {
      provide: async () => ({ kind: 'path', path: '/work' }),
      release: broken,
    };
    const { office, faults } = unruly([git], { worktrees, warm: {} });
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Go.' });
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'completed' });
    await office.close();
    expect(faults).toMatchObject([{ jobId, error: { message: 'No books today.' } }]);
  });
});

describe('what a job says', () => {
  it('leaves the rest as its agent has it', async () => {
    const slow = { ...profile, options: { timeoutMs: 20 } };
    const { office, told } = stagedOffice(['hang', 'hang'], { agents: [slow], warm: {} });
    const result = await office.executeJob({ agentId: 'FE', prompt: 'Go.', options: { onNeedsPerson: 'interrupt' } });
    expect(result).toMatchObject({ outcome: 'timed_out', error: { code: 'turn_timed_out' } });
    expect(told).toHaveLength(2);
    await office.close();
  });

  it('of one part of a persona leaves the scope as it is', async () => {
    const persona = {
      name: 'Mina',
      role: 'FE',
      prompt: 'Be quick.',
      scopePatterns: ['web/**'],
      overridable: ['prompt', 'scopePatterns', 'coreSkills'],
    } as const;
    const { office } = unruly([{ ...profile, persona }], { warm: {} });
    const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Go.', persona: { prompt: 'Be slow.' } });
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'completed' });
    expect((await office.getJob(jobId))?.spec.persona).toEqual({ prompt: 'Be slow.' });
    await office.close();
  });

  it('must fit, context and all', async () => {
    const { office } = stagedOffice();
    const context = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`file ${at}`, 'x'.repeat(99_999)]));
    await expectError(office.submitJob(job({ context })), 'prompt_too_long');
    await expectError(office.submitJob(job({ context: { log: 'a\0b' } })), 'invalid_prompt');
    await office.close();
  });
});

describe('an office', () => {
  it.each([
    { concurrency: 0 },
    { concurrency: Number.NaN },
    { leaseMs: 0 },
    { pollMs: -1 },
    { warm: { FE: -1 } },
    { warm: { FE: 0.5 } },
    { backoff: { firstMs: Number.NaN } },
    { breakers: { host: { failureThreshold: 0 } } },
    { policy: { classes: { crash: { kind: 'again', times: -1, reason: 'crash' } } } },
    { agents: [{ agentId: 'FE' } as AgentProfile] },
    { agents: [profile, profile] },
  ] as Partial<OfficeOptions>[])('refuses %j', (options) => {
    expect(() => stagedOffice([], options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('tells of an end once, however often it is cancelled', async () => {
    const notices: unknown[] = [];
    const notifier = { notify: async (notice: unknown) => void notices.push(notice) };
    const { office } = stagedOffice([{ fails: 'sign_in_refused' }], { notifier });
    const ends: JobResult[] = [];
    office.on('ended', ({ result }) => ends.push(result));
    await office.executeJob(job({ jobId: 'job_1' }));
    expect((await office.cancelJob('job_1')).state).toMatchObject({ kind: 'ended', result: { outcome: 'failed' } });
    expect([ends.length, notices.length]).toEqual([1, 1]);
    await office.close();
  });

  it('cancels a job that another one is at', async () => {
    const jobs = memoryJobStore();
    const shared = { jobs, pollMs: 5, leaseMs: 100 };
    const [one, other] = [stagedOffice(['hang'], shared), stagedOffice([], shared)];
    const { jobId } = await one.office.submitJob(job({ jobId: 'job_1' }));
    await nextEvent(one.office, 'attempt');
    const stop = new AbortController();
    const result = other.office.executeJob(job({ jobId }), { signal: stop.signal });
    stop.abort();
    expect(await result).toMatchObject({ outcome: 'cancelled' });
    expect(other.told).toEqual([]);
    for (const { office } of [one, other]) await office.close();
  });

  it('that is closed keeps nobody waiting', async () => {
    const { office } = stagedOffice(['hang']);
    const { jobId } = await office.submitJob(job());
    await office.close();
    await expectError(office.waitForJob(jobId), 'closed');
  });

  it('goes on when whoever is told of faults fails too', async () => {
    const told: string[] = [];
    const jobService = {
      async onJobComplete({ jobId }: { jobId: string }) {
        told.push(jobId);
        return broken();
      },
    };
    const onFault = (): never => {
      throw new Error('Nobody home.');
    };
    using printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { office } = stagedOffice([], { jobService, onFault });
    await office.executeJob(job({ jobId: 'job_1' }));
    await office.executeJob(job({ jobId: 'job_2' }));
    await office.close();
    expect(told).toContain('job_2');
    expect(printed).toHaveBeenCalledWith(expect.stringContaining('Nobody home.'));
  });
});

describe('a job that is reopened the moment it has ended', () => {
  it('is begun again once all it had is let go of', async () => {
    const { office, told } = stagedOffice([], { jobs: memoryJobStore(), pollMs: 5 });
    const { jobId } = await office.submitJob(job());
    const steps: string[] = [];
    office.on('started', () => steps.push('started'));
    const twice = new Promise<void>((resolve) => {
      office.on('ended', () => {
        steps.push('ended');
        if (steps.length === 4) resolve();
      });
    });
    await office.waitForJob(jobId);
    await office.retryJob(jobId);
    await twice;
    expect(steps).toEqual(['started', 'ended', 'started', 'ended']);
    expect(told).toHaveLength(2);
    expect((await office.status()).running).toEqual([]);
    await office.close();
  });
});

describe('a host that goes away for good', () => {
  it('holds neither the job nor the office', async () => {
    const sessions = createScriptedSessions();
    let isLost = false;
    const going: SessionManager = new Proxy(sessions, {
      get(target, name): unknown {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          isLost ||= name === 'sendPrompt';
          if (isLost && name !== 'on' && name !== 'close') return Promise.reject(new SemoError('host_lost', 'Gone.'));
          return Reflect.apply(value, target, given);
        };
      },
    });
    const { office } = stagedOffice([], { sessions: going, onFault: () => undefined });
    const result = await office.executeJob(job({ deadlineMs: 2000 }));
    expect(['unknown', 'timed_out']).toContain(result.outcome);
    await office.close();
  });
});
