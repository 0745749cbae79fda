import { describe, expect, it } from 'vitest';

import type { Doings } from './office-stage.ts';
import { job, stagedOffice } from './office-stage.ts';

async function run(doings: Doings, more: Parameters<typeof job>[0] = {}) {
  const { office, told, sessions } = stagedOffice(doings);
  const result = await office.executeJob(job(more));
  const left = (await sessions.list()).filter(({ status }) => status !== 'terminated');
  await office.close();
  return { result, told, left, reasons: result.attempts.map(({ reason }) => reason) };
}

describe('attempts at a job', () => {
  it('are one if all goes well', async () => {
    const { result, reasons } = await run([]);
    expect(result).toMatchObject({ outcome: 'completed', text: 'done', error: null });
    expect(reasons).toEqual(['first']);
  });

  it('follow a crash in a new session, whose agent is told of it', async () => {
    const { result, told, left, reasons } = await run(['crash']);
    expect(result).toMatchObject({ outcome: 'completed', text: 'done' });
    expect(reasons).toEqual(['first', 'crash']);
    expect(result.attempts[0]).toMatchObject({ outcome: 'crashed', error: { code: 'agent_crashed' } });
    expect(new Set(result.attempts.map(({ sessionId }) => sessionId)).size).toBe(2);
    expect(told[1]?.prompt).toMatch(/ended unexpectedly.*though not in this conversation/);
    expect(left).toEqual([]);
  });

  it('tell a shell its prompt and nothing else', async () => {
    const session = { agent: { kind: 'shell' }, workspace: { kind: 'path', path: '/work' } } as const;
    const { told, reasons } = await run(['crash'], { session });
    expect(reasons).toEqual(['first', 'crash']);
    expect(told.map(({ prompt }) => prompt)).toEqual(['Do it.', 'Do it.']);
    const { result } = await run([], { session, context: { issue: '$(reboot)' } });
    expect(result).toMatchObject({ outcome: 'failed', attempts: [], error: { code: 'invalid_argument' } });
  });

  it('tell a shell in a slot nothing of its branch', async () => {
    const workspace = { kind: 'git', repoId: 'app' } as const;
    const agents = [{ agentId: 'FE', agent: { kind: 'shell' }, workspace }] as const;
    const { office, told } = stagedOffice([], { agents });
    await office.ready();
    await office.executeJob({ agentId: 'FE', prompt: 'make' });
    expect(told.map(({ prompt }) => prompt)).toEqual(['make']);
    await office.close();
  });

  it('end with the second crash', async () => {
    const { result, reasons } = await run(['crash', 'crash', 'say: never']);
    expect(result).toMatchObject({ outcome: 'crashed', error: { code: 'agent_crashed' } });
    expect(reasons).toEqual(['first', 'crash']);
  });

  it('follow a timeout in the same session and conversation', async () => {
    const { result, told, reasons } = await run(['hang'], { options: { timeoutMs: 20 } });
    expect(result).toMatchObject({ outcome: 'completed', text: 'done' });
    expect(reasons).toEqual(['first', 'timeout']);
    expect(told[1]?.sessionId).toBe(told[0]?.sessionId);
    expect(told[1]?.prompt).toMatch(/took too long.*in this conversation/);
  });

  it('go on, with pauses, while the provider is overloaded', async () => {
    const overloaded = { fails: 'agent_overloaded' } as const;
    const { result, reasons } = await run([overloaded, overloaded, 'crash']);
    expect(result.outcome).toBe('completed');
    expect(reasons).toEqual(['first', 'overloaded', 'overloaded', 'crash']);
  });

  it('are given up when it stays overloaded', async () => {
    const { result, reasons } = await run(Array.from({ length: 9 }, () => ({ fails: 'agent_overloaded' }) as const));
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'agent_overloaded' } });
    expect(reasons).toHaveLength(5);
  });

  it.each([
    ['agent_failed', 'failed'],
    ['sign_in_refused', 'failed'],
    ['agent_rejected', 'failed'],
  ] as const)('end with %s', async (fails, outcome) => {
    const { result, reasons } = await run([{ fails }]);
    expect(result).toMatchObject({ outcome, error: { code: fails } });
    expect(reasons).toEqual(['first']);
  });
});

describe('a limit', () => {
  it('holds the whole office until it is over; then one goes first, and the others follow', async () => {
    const retryAt = Date.now() + 300;
    const limited = { fails: 'agent_rate_limited', error: { retryAt } } as const;
    const { office, told } = stagedOffice(
      Array.from({ length: 5 }, () => limited),
      { pool: { max: 5 } },
    );
    const waits: string[] = [];
    office.on('waiting', ({ wait }) => waits.push(wait.for));
    let askedEarly = 0;
    const results = await Promise.all(
      Array.from({ length: 5 }, () =>
        office.executeJob(job(), {
          onLine: ({ type, at }) => {
            if (type === 'turn' && told.length > 5 && at < retryAt) askedEarly += 1;
          },
        }),
      ),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 5 }, () => 'completed'));
    expect(results.map(({ attempts }) => attempts.map(({ reason }) => reason))).toEqual(
      Array.from({ length: 5 }, () => ['first', 'rate_limit']),
    );
    expect({ asked: told.length, askedEarly }).toEqual({ asked: 10, askedEarly: 0 });
    expect(waits).toContain('provider');
    await office.close();
  });

  it('that outlasts a job ends it at once, with the reason', async () => {
    const retryAt = Date.now() + 3_600_000;
    const { office } = stagedOffice([{ fails: 'agent_rate_limited', error: { retryAt } }]);
    const result = await office.executeJob(job({ deadlineMs: 60_000 }));
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'agent_rate_limited', retryAt } });
    await office.close();
  });

  it('is no reason to stay when the job is cancelled', async () => {
    const retryAt = Date.now() + 3_600_000;
    const { office } = stagedOffice([{ fails: 'agent_rate_limited', error: { retryAt } }]);
    const { jobId } = await office.submitJob(job());
    office.on('waiting', ({ wait }) => {
      if (wait.untilAt === retryAt) void office.cancelJob(jobId);
    });
    expect(await office.waitForJob(jobId)).toMatchObject({ outcome: 'cancelled', attempts: [{ reason: 'first' }] });
    await office.close();
  });
});
