import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createCircuitBreaker, createPoolManager, memoryJobStore, poolKey, type Admission } from '../../src/index.ts';
import { createHostBreakers } from '../../src/policy/host-breakers.ts';
import { throughBreakers } from '../../src/job/attempt-gate.ts';
import type { JobParts } from '../../src/job/job-parts.ts';
import { DEFAULT_BACKOFF } from '../../src/policy/backoff.ts';
import { DEFAULT_FAILURE_POLICY } from '../../src/policy/failure-policy.ts';
import { FakeClock, createScriptedSessions } from '../../testing/index.ts';

const template = {
  agent: { kind: 'command', command: ['scripted'] },
  workspace: { kind: 'path', path: '/w' },
} as const;

/** What attempts are made with, and made by nobody in particular. */
function partsOf({
  clock,
  ...more
}: Pick<JobParts, 'sessions' | 'pool' | 'provider'> & { clock: FakeClock }): JobParts {
  return {
    clock,
    ...more,
    hosts: createHostBreakers({ clock }),
    jobs: memoryJobStore({ clock }),
    agents: { find: async () => null, list: async () => [] },
    worktrees: null,
    policy: DEFAULT_FAILURE_POLICY,
    backoff: DEFAULT_BACKOFF,
    reusesSessions: false,
    hostPatienceMs: 0,
  };
}

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
  const parts = partsOf({ clock, sessions, provider, pool: createPoolManager({ sessions, clock, admission }) });
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

describe('an attempt in a session that goes on', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('waits for its own host, and for no other', async () => {
    const clock = new FakeClock();
    const sessions = createScriptedSessions({ clock });
    const provider = createCircuitBreaker({ name: 'provider', clock });
    const parts = partsOf({ clock, sessions, provider, pool: createPoolManager({ sessions, clock }) });
    const failed = async (): Promise<void> => {
      await parts.hosts.of('a').execute(
        async () => undefined,
        () => ({ kind: 'failure' }),
      );
    };
    for (let failure = 0; failure < 5; failure += 1) await failed();
    const plan = { role: 'FE', template, options: {} };
    const made = {
      number: 0,
      reason: 'timeout',
      plan,
      key: poolKey(template),
      priority: 0,
      text: 'say: done',
    } as const;
    const call = { signal: new AbortController().signal, log: async () => undefined, onSession: () => undefined };
    const waits: string[] = [];
    const attemptOn = async (hostId: string) => {
      const session = await sessions.create({ ...template, sessionId: `on_${hostId}` });
      const order = { ...made, held: { ...session, hostId } };
      return throughBreakers(parts, { order, call, onWait: ({ for: what }) => waits.push(`${hostId}: ${what}`) });
    };
    expect(await attemptOn('b')).toMatchObject({ outcome: 'completed' });
    const late = attemptOn('a');
    await settled();
    expect(waits).toEqual(['a: host']);
    vi.setSystemTime(clock.now() + 31_000);
    clock.advance(31_000);
    expect(await late).toMatchObject({ outcome: 'completed' });
    expect(parts.hosts.of('b').state).toBe('closed');
    await sessions.close();
  });
});
