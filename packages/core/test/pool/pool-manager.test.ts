import { describe, expect, it } from 'vitest';

import { PoolOffice, failure, request, target, templateOf } from './pool-office.ts';

describe('a warm session', () => {
  it('is there before it is needed, and replaced after its job', async () => {
    const { pool, terminated, created } = new PoolOffice({ targets: [target('FE'), target('BE')] });
    await pool.initializeWarmPool();
    expect(pool.getPoolStatus()).toMatchObject({ warmIdle: 2, opening: 0 });
    const given = await pool.acquire(request('FE'));
    expect(given).toMatchObject({
      source: 'warm',
      waitedMs: 0,
      session: { status: 'ready', workspace: { path: '/FE' } },
    });
    await pool.release(given.session.sessionId, { kind: 'reusable' });
    expect(pool.getPoolStatus()).toMatchObject({ inUse: 0, ending: 1 });
    await pool.settled();
    expect(terminated).toEqual([given.session.sessionId]);
    expect(created).toHaveLength(3);
    expect(pool.getPoolStatus()).toMatchObject({ warmIdle: 2, totals: { recycled: 1, opened: 3 } });
  });

  it('that dies while it is idle is missed at once, and replaced after a moment', async () => {
    const office = new PoolOffice({ targets: [target('FE')] });
    await office.pool.initializeWarmPool();
    await office.sessions.terminate(office.created[0]!);
    expect(office.pool.getPoolStatus().warmIdle).toBe(0);
    expect(office.faults).toMatchObject([{ kind: 'session_lost', key: 'FE', retryInMs: 1000 }]);
    await office.pass(999);
    expect(office.pool.getPoolStatus().warmIdle).toBe(0);
    await office.pass(1);
    expect(office.pool.getPoolStatus().warmIdle).toBe(1);
  });

  it('that cannot be opened is told, tried again more and more slowly, and never makes the start fail', async () => {
    const office = new PoolOffice({ targets: [target('FE')] }, () => ({
      create: () => Promise.reject(failure('agent_start_failed')),
    }));
    await office.pool.initializeWarmPool();
    for (let minute = 0; minute < 600; minute += 1) await office.pass(6000);
    expect(office.faults.slice(0, 6).map(({ retryInMs }) => retryInMs)).toEqual([
      1000, 2000, 4000, 8000, 300_000, 300_000,
    ]);
    expect(office.created.length).toBeLessThan(20);
  });

  it('that trying again cannot mend is tried at the slow pace from the beginning', async () => {
    const office = new PoolOffice({ targets: [target('FE')] }, () => ({
      create: () => Promise.reject(failure('not_signed_in')),
    }));
    await office.pool.initializeWarmPool();
    expect(office.faults).toMatchObject([
      { kind: 'open_failed', error: { code: 'not_signed_in' }, retryInMs: 300_000 },
    ]);
    const waiting = office.pool.acquire(request('FE'));
    await expect(waiting).rejects.toMatchObject({ code: 'not_signed_in' });
  });

  it('is not handed out when its host says that it is not ready', async () => {
    let sick = '';
    const office = new PoolOffice({ targets: [target('FE')] }, (real) => ({
      get: async (id) => {
        const info = await real.get(id);
        return info !== null && id === sick ? { ...info, status: 'error' } : info;
      },
    }));
    await office.pool.initializeWarmPool();
    sick = office.created[0]!;
    const given = await office.pool.acquire(request('FE'));
    expect(given.session.sessionId).not.toBe(sick);
    expect(office.terminated).toEqual([sick]);
    expect(office.faults).toMatchObject([{ kind: 'session_lost', sessionId: sick }]);
  });

  it('is replaced before its credential runs out', async () => {
    const office: PoolOffice = new PoolOffice({ targets: [target('FE')] }, (real) => ({
      create: async (...call) => {
        const info = await real.create(...call);
        return { ...info, credentialExpiresAt: office.clock.now() + 3_600_000 };
      },
    }));
    await office.pool.initializeWarmPool();
    await office.pass(3_299_999);
    expect(office.created).toHaveLength(1);
    await office.pass(1);
    expect(office.terminated).toEqual(office.created.slice(0, 1));
    expect(office.pool.getPoolStatus().warmIdle).toBe(1);
  });

  it('whose credential is short from the beginning is no hot loop', async () => {
    const office: PoolOffice = new PoolOffice({ targets: [target('FE')] }, (real) => ({
      create: async (...call) => ({ ...(await real.create(...call)), credentialExpiresAt: office.clock.now() + 1000 }),
    }));
    await office.pool.initializeWarmPool();
    await office.pool.settled();
    expect(office.created).toHaveLength(1);
    expect(office.faults).toMatchObject([{ kind: 'open_failed', retryInMs: 1000 }]);
  });
});

describe('a cold session', () => {
  it('is announced before it is made, and ended after its job', async () => {
    const office = new PoolOffice();
    const told: string[] = [];
    const { session, source } = await office.pool.acquire(
      request('FE', {
        onSession(id) {
          expect(office.created).not.toContain(id);
          told.push(id);
          throw new Error('a bug of the caller');
        },
      }),
    );
    expect({ source, told }).toEqual({ source: 'cold', told: [session.sessionId] });
    expect(office.faults).toMatchObject([{ kind: 'listener_failed' }]);
    await office.giveBack(session.sessionId);
    expect(await office.living()).toBe(0);
    expect(office.pool.getPoolStatus()).toMatchObject({ coldIdle: 0, totals: { handedOut: { cold: 1 }, recycled: 1 } });
  });

  it('is tried again while that can help, each time with a new id', async () => {
    let tries = 0;
    const told: string[] = [];
    const office = new PoolOffice({}, (real) => ({
      create: (...call) => (++tries < 3 ? Promise.reject(failure('agent_start_failed')) : real.create(...call)),
    }));
    const given = office.pool.acquire(request('FE', { onSession: (id) => told.push(id) }));
    await office.pool.settled();
    await office.pass(999);
    expect(tries).toBe(1);
    await office.pass(1);
    expect(tries).toBe(2);
    await office.pass(2000);
    expect(await given).toMatchObject({ waitedMs: 3000, session: { sessionId: told[2] } });
    expect(new Set(told).size).toBe(3);
  });

  it('that cannot be made is an error: at once, or when it was tried often enough', async () => {
    const office = new PoolOffice({ createAttempts: 2 }, () => ({
      create: ({ agent }) => Promise.reject(failure(agent.kind === 'shell' ? 'unknown_agent' : 'agent_start_failed')),
    }));
    const template = { ...templateOf('FE'), agent: { kind: 'shell' as const } };
    await expect(office.pool.acquire(request('FE', { template }))).rejects.toMatchObject({ code: 'unknown_agent' });
    const given = office.pool.acquire(request('BE'));
    given.catch(() => undefined);
    await office.pool.settled();
    await office.pass(1000);
    await expect(given).rejects.toMatchObject({ code: 'agent_start_failed' });
    expect(office.pool.getPoolStatus()).toMatchObject({ waiting: 0, ending: 0, totals: { failed: 3 } });
  });

  it('of a caller’s own id is never a warm one, nor used again', async () => {
    const office = new PoolOffice({ targets: [target('FE')], reuse: 'clear' });
    await office.pool.initializeWarmPool();
    const { session, source } = await office.pool.acquire(request('FE', { sessionId: 'mine' }));
    expect([session.sessionId, source]).toEqual(['mine', 'cold']);
    await expect(office.take('FE', { sessionId: 'mine' })).rejects.toMatchObject({ code: 'session_conflict' });
    await office.giveBack('mine');
    expect(office.terminated).toEqual(['mine']);
  });

  it('of an id that is somebody else’s is not ended', async () => {
    const office = new PoolOffice();
    await office.sessions.create({ ...templateOf('BE'), sessionId: 'theirs' });
    await expect(office.take('FE', { sessionId: 'theirs' })).rejects.toMatchObject({ code: 'session_conflict' });
    expect([office.terminated, await office.living()]).toEqual([[], 1]);
  });

  it('that takes too long is given up', async () => {
    const office = new PoolOffice({ createAttempts: 1, openTimeoutMs: 5000 }, () => ({
      create: (_, call) =>
        new Promise((_resolve, reject) => {
          call?.signal?.addEventListener('abort', () => reject(failure('aborted')));
        }),
    }));
    const given = office.pool.acquire(request('FE'));
    await office.untilAsked();
    office.clock.advance(5000);
    await expect(given).rejects.toMatchObject({ code: 'wait_timed_out' });
    await office.pool.settled();
    expect(office.pool.getPoolStatus().ending).toBe(0);
  });
});

describe('with `clear`', () => {
  it('a session is cleared and used again, and closed when it was idle too long', async () => {
    const office = new PoolOffice({ reuse: 'clear' });
    const first = await office.take('FE');
    await office.giveBack(first);
    expect(office.pool.getPoolStatus()).toMatchObject({ coldIdle: 1 });
    expect(await office.pool.acquire(request('FE'))).toMatchObject({ source: 'idle', session: { sessionId: first } });
    await office.pass(10_000_000);
    expect(office.terminated).toEqual([]);
    await office.giveBack(first);
    await office.pass(599_999);
    expect([await office.pool.cleanupIdle(), office.terminated]).toEqual([0, []]);
    await office.pass(1);
    expect(office.terminated).toEqual([first]);
    expect(office.pool.getPoolStatus()).toMatchObject({ coldIdle: 0, totals: { reaped: 1, recycled: 0 } });
  });

  it('`cleanupIdle` tells how many it closed', async () => {
    const office = new PoolOffice({ reuse: 'clear', idleCloseMs: 0 });
    office.clock.schedule = () => () => undefined;
    const ids = [await office.take('FE'), await office.take('BE')];
    for (const id of ids) await office.pool.release(id, { kind: 'reusable' });
    await office.pool.settled();
    expect(await office.living()).toBe(0);
    expect(await office.pool.cleanupIdle()).toBe(0);
  });

  it.each([
    { code: 'not_supported' as const, faults: 0 },
    { code: 'session_busy' as const, faults: 1 },
  ])('one that cannot be cleared ($code) is ended', async ({ code, faults }) => {
    const office = new PoolOffice({ reuse: 'clear' }, () => ({ reset: () => Promise.reject(failure(code)) }));
    const id = await office.take('FE');
    await office.giveBack(id);
    expect(office.terminated).toEqual([id]);
    expect(office.faults).toHaveLength(faults);
  });

  it('one that is spent, or has died, is ended', async () => {
    const office = new PoolOffice({ reuse: 'clear' });
    const [spent, dead] = [await office.take('FE'), await office.take('FE')];
    await office.pool.release(spent, { kind: 'spent', reason: 'its folder is gone' });
    await office.sessions.terminate(dead);
    expect(office.pool.getPoolStatus().inUse).toBe(1);
    await office.giveBack(dead);
    expect(office.terminated).toEqual([spent, dead]);
  });

  it('an idle one of another key makes room for who waits', async () => {
    const office = new PoolOffice({ reuse: 'clear', max: 1 });
    const first = await office.take('FE');
    await office.giveBack(first);
    const second = await office.take('BE');
    expect(office.terminated).toEqual([first]);
    expect(second).not.toBe(first);
  });
});

describe('who waits', () => {
  it('gets what becomes free, by priority', async () => {
    const office = new PoolOffice({ max: 1 });
    const first = await office.take('FE');
    const order: string[] = [];
    const wait = (name: string, priority: number): Promise<unknown> =>
      office.pool.acquire(request(name, { priority })).then(({ session }) => {
        order.push(name);
        return office.pool.release(session.sessionId, { kind: 'reusable' });
      });
    const waiting = [wait('late', 0), wait('later', 0), wait('urgent', 7)];
    office.clock.advance(40);
    expect(office.pool.getPoolStatus()).toMatchObject({ waiting: 3, oldestWaitMs: 40, inUse: 1 });
    await office.pool.release(first, { kind: 'reusable' });
    await Promise.all(waiting);
    expect(order).toEqual(['urgent', 'late', 'later']);
  });

  it('is told when its time is up, or the pool’s', async () => {
    const office = new PoolOffice({ max: 1 });
    await office.take('FE');
    const short = office.pool.acquire(request('BE'), { timeoutMs: 50 });
    const long = office.pool.acquire(request('BE'));
    office.clock.advance(50);
    await expect(short).rejects.toMatchObject({ code: 'pool_timed_out', class: 'capacity', details: { waitedMs: 50 } });
    office.clock.advance(599_950);
    await expect(long).rejects.toMatchObject({ code: 'pool_timed_out' });
    expect(office.pool.getPoolStatus().waiting).toBe(0);
  });

  it('may give up, before and while it waits', async () => {
    const office = new PoolOffice({ max: 1 });
    await expect(office.pool.acquire(request('FE'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    await office.take('FE');
    const abort = new AbortController();
    const given = office.pool.acquire(request('FE'), { signal: abort.signal });
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'aborted' });
  });

  it('leaves, and what was being opened for it alone is given up', async () => {
    const open: (() => void)[] = [];
    const office = new PoolOffice({}, (real) => ({
      create: async (...call) => {
        await new Promise<void>((resolve) => {
          open.push(resolve);
        });
        return real.create(...call);
      },
    }));
    const [first, other] = [new AbortController(), new AbortController()];
    const given = office.pool.acquire(request('FE'), { signal: first.signal });
    const alone = office.pool.acquire(request('BE'), { signal: other.signal });
    await office.untilAsked();
    first.abort();
    await expect(given).rejects.toMatchObject({ code: 'aborted' });
    expect(office.pool.getPoolStatus()).toMatchObject({ opening: 1, ending: 1 });
    other.abort();
    await expect(alone).rejects.toMatchObject({ code: 'aborted' });
    for (const resolve of open) resolve();
    await office.pool.settled();
    expect(await office.living()).toBe(0);
  });

  it('takes over a session that was opened for somebody who has left', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const office = new PoolOffice({ max: 1 }, (real) => ({
      create: async (...call) => {
        await gate;
        return real.create(...call);
      },
    }));
    const abort = new AbortController();
    const first = office.pool.acquire(request('FE'), { signal: abort.signal });
    const second = office.pool.acquire(request('FE'));
    await office.untilAsked();
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    open();
    expect((await second).session.sessionId).toBe(office.created[0]);
    expect(office.created).toHaveLength(1);
  });
});
