import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createCircuitBreaker, isSemoError, type BreakerEvents, type BreakerVerdict } from '../../src/index.ts';

const says = (verdict: BreakerVerdict) => () => verdict;
const failure = says({ kind: 'failure' });
const success = says({ kind: 'success' });
const done = async () => 'done';

function opened(options: Parameters<typeof createCircuitBreaker>[0] = { name: 'provider' }) {
  const breaker = createCircuitBreaker({ failureThreshold: 3, resetTimeout: 1000, ...options });
  const told: BreakerEvents['state'][] = [];
  breaker.on('state', (event) => told.push(event));
  const fail = async (times = 1) => {
    for (let time = 0; time < times; time += 1) await breaker.execute(done, failure);
  };
  return { breaker, told, fail };
}

describe('a circuit breaker', () => {
  // Its library asks the machine for the time.
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('opens after so many failures in a row, and tells until when', async () => {
    const { breaker, told, fail } = opened();
    await fail(2);
    await breaker.execute(done, success);
    await fail(2);
    expect(breaker.state).toBe('closed');
    await fail();
    expect(breaker).toMatchObject({ state: 'open', retryAt: 1_001_000 });
    expect(told).toEqual([{ name: 'provider', state: 'open', retryAt: 1_001_000, at: 1_000_000 }]);
    const refused = await breaker
      .execute(() => Promise.reject(new Error('It ran.')), success)
      .catch((error: unknown) => error);
    expect(isSemoError(refused, 'circuit_open')).toBe(true);
    expect(refused).toMatchObject({ retryable: true, details: { name: 'provider', retryAt: 1_001_000 } });
  });

  it('lets one through when the time has come, and the others wait for what becomes of it', async () => {
    const { breaker, told, fail } = opened();
    await fail(3);
    vi.setSystemTime(1_001_000);
    const probe = Promise.withResolvers<string>();
    const ran: number[] = [];
    const all = [0, 1, 2, 3].map((number) =>
      breaker.execute(async () => {
        ran.push(number);
        return number === 0 ? probe.promise : 'later';
      }, success),
    );
    await Promise.resolve();
    expect({ ran, state: breaker.state }).toEqual({ ran: [0], state: 'half_open' });
    probe.resolve('well');
    expect(await Promise.all(all)).toEqual(['well', 'later', 'later', 'later']);
    expect(told.map(({ state }) => state)).toEqual(['open', 'half_open', 'closed']);
  });

  it('opens again, for longer, when the probe fails; who waited for it is refused', async () => {
    const { breaker, fail } = opened();
    await fail(3);
    vi.setSystemTime(1_001_000);
    const waited = [breaker.execute(done, failure), breaker.execute(done, success)];
    expect((await Promise.allSettled(waited)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(breaker).toMatchObject({ state: 'open', retryAt: 1_003_000 });
  });

  it('opens at once where it was told until when', async () => {
    const { breaker } = opened();
    await breaker.execute(done, says({ kind: 'failure', retryAt: 1_020_000 }));
    expect(breaker).toMatchObject({ state: 'open', retryAt: 1_020_000 });
    vi.setSystemTime(1_020_000);
    await breaker.execute(done, success);
    expect(breaker.state).toBe('closed');
    // What was stated then says nothing of the next failure.
    await breaker.execute(done, failure);
    expect(breaker.state).toBe('closed');
  });

  it('takes no notice of what tells it nothing', async () => {
    const { breaker, fail } = opened();
    await fail(2);
    expect(await breaker.execute(done, says({ kind: 'neutral' }))).toBe('done');
    await fail();
    expect(breaker.state).toBe('open');
  });

  it('lets as many through as it is told while it is half open', async () => {
    const { breaker, fail } = opened({ name: 'host', halfOpenRequests: 2 });
    await fail(3);
    vi.setSystemTime(1_001_000);
    await breaker.execute(done, success);
    expect(breaker.state).toBe('half_open');
    await breaker.execute(done, success);
    expect(breaker.state).toBe('closed');
  });
});
