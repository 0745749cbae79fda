import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createCircuitBreaker, createPoolManager, memoryJobStore, poolKey, type Admission } from '../../src/index.ts';
import { throughBreakers } from '../../src/job/attempt-gate.ts';
import type { JobParts } from '../../src/job/job-parts.ts';
import { DEFAULT_BACKOFF } from '../../src/policy/backoff.ts';
import { DEFAULT_FAILURE_POLICY } from '../../src/policy/failure-policy.ts';
import { FakeClock, createScriptedSessions } from '../../testing/index.ts';

const template = {
  agent: { kind: 'command', command: ['scripted'] },
  workspace: { kind: 'path', path: '/w' },
} as const;

/** An office whose provider's breaker lets one through; `admission` decides when that one gets its session. */
async function halfOpen(admission?: Admission) {
  const clock = new FakeClock();
  const sessions = createScriptedSessions({ clock });
  const provider = createCircuitBreaker({ name: 'provider', clock, failureThreshold: 1, resetTimeout: 1000 });
  await provider.execute(
    async () => null,
    () => ({ kind: 'failure' }),
  );
  clock.advance(2000);
  vi.setSystemTime(clock.now());
  const parts: JobParts = {
    clock,
    sessions,
    provider,
    host: createCircuitBreaker({ name: 'host', clock }),
    pool: createPoolManager({ sessions, clock, admission }),
    jobs: memoryJobStore({ clock }),
    agents: { find: async () => null, list: async () => [] },
    worktrees: null,
    policy: DEFAULT_FAILURE_POLICY,
    backoff: DEFAULT_BACKOFF,
    reusesSessions: false,
    hostPatienceMs: 0,
  };
  const abort = new AbortController();
  const accepted = Promise.withResolvers<void>();
  const plan = { role: 'FE', template, options: {} };
  const order = {
    number: 0,
    reason: 'first',
    plan,
    key: poolKey(template),
    priority: 0,
    text: 'hang',
    held: null,
  } as const;
  const call = {
    signal: abort.signal,
    log: async ({ delivery }: { delivery: string }) => {
      if (delivery === 'accepted') accepted.resolve();
    },
    onSession: () => undefined,
  };
  const end = throughBreakers(parts, { order, call, onWait: () => undefined });
  const stop = async () => {
    abort.abort();
    await end.catch(() => undefined);
  };
  return { clock, provider, accepted: accepted.promise, stop };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the first attempt after a limit', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('proves nothing while it waits for a session', async () => {
    const { clock, provider, stop } = await halfOpen({ admit: () => new Promise(() => undefined) });
    await settled();
    clock.advance(20_000);
    await settled();
    expect(provider.state).toBe('half_open');
    await stop();
  });

  it('proves that it is over once its agent has worked for a while', async () => {
    const { clock, provider, accepted, stop } = await halfOpen();
    await accepted;
    await settled();
    expect(provider.state).toBe('half_open');
    clock.advance(20_000);
    await settled();
    expect(provider.state).toBe('closed');
    await stop();
  });
});
