import { describe, expect, it } from 'vitest';

import type { AdmissionVerdict, SessionInfo, SessionManager, WarmTarget } from '../../src/index.ts';
import { PoolOffice, failure, request, target, templateOf } from './pool-office.ts';

/** A host that switches sessions, as told: `ok`, or what it fails with. */
const switching =
  (answers: readonly string[], asked: string[] = []) =>
  (real: SessionManager) => ({
    assign: async (sessionId: string, { branch }: { readonly branch: string }): Promise<SessionInfo> => {
      const answer = answers[asked.length] ?? 'ok';
      asked.push(`${sessionId} ${branch}`);
      if (answer !== 'ok')
        throw Object.assign(failure('git_failed'), { code: answer, retryable: answer === 'host_lost' });
      return (await real.get(sessionId))!;
    },
  });

const slots = (count: number): WarmTarget => ({ key: 'shop', role: 'FE', count, template: templateOf('shop', true) });
const job = (branch: string) =>
  request('shop', { role: 'FE', template: templateOf('shop', true), assignment: { branch } });

describe('opening', () => {
  it('is done for so many at once, and is over when each target has been tried', async () => {
    const opened: (() => void)[] = [];
    const office = new PoolOffice({ max: 5, maxOpening: 2, targets: [target('FE', 3), target('BE', 2)] }, (real) => ({
      create: async (...call) => {
        await new Promise<void>((resolve) => opened.push(resolve));
        return real.create(...call);
      },
    }));
    const ready = office.pool.initializeWarmPool();
    for (const begun of [2, 4, 5]) {
      await office.untilAsked();
      expect(office.created).toHaveLength(begun);
      for (const open of opened.splice(0)) open();
    }
    await ready;
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 5, opening: 0 });
  });

  it.each([
    { answered: { hasAnswered: true as const }, opened: 1, comes: 'to the job, if it has answered by ending' },
    { answered: {}, opened: 2, comes: 'not at all: the job gets another' },
  ])('of a program that has ended meanwhile: it comes $comes', async ({ answered, opened }) => {
    const office = new PoolOffice({}, (real) => ({
      async create(spec, call) {
        const info = await real.create(spec, call);
        if (office.created.length > 1) return info;
        await real.terminate(info.sessionId);
        return { ...info, status: 'error', ...answered };
      },
    }));
    const taken = office.take('echo');
    await office.untilAsked();
    await office.pass(60_000);
    expect(await taken).toBe(office.created.at(-1));
    expect(office.created).toHaveLength(opened);
  });
});

describe('a session in a repository', () => {
  it('is switched to the job’s branch before it is handed out, and announced before that', async () => {
    const asked: string[] = [];
    const office = new PoolOffice({ targets: [slots(1)] }, switching([], asked));
    await office.pool.initializeWarmPool();
    let announced = '';
    const { session, source } = await office.pool.acquire({
      ...job('fix'),
      onSession: (id) => {
        expect(asked).toEqual([]);
        announced = id;
      },
    });
    expect({ source, asked }).toEqual({ source: 'warm', asked: [`${announced} fix`] });
    expect(session.sessionId).toBe(announced);
  });

  it('made with its branch is not switched', async () => {
    const asked: string[] = [];
    const office = new PoolOffice({}, switching([], asked));
    expect(await office.pool.acquire(job('fix'))).toMatchObject({ source: 'cold' });
    expect(asked).toEqual([]);
  });

  it('in which somebody’s work lies is put aside, and another is used', async () => {
    const office = new PoolOffice({ targets: [slots(2)] }, switching(['workspace_dirty']));
    await office.pool.initializeWarmPool();
    const { session } = await office.pool.acquire(job('fix'));
    await office.pool.settled();
    expect(office.terminated).toHaveLength(1);
    expect(office.created).toContain(session.sessionId);
    expect(office.terminated).not.toContain(session.sessionId);
    expect(office.faults).toMatchObject([{ kind: 'session_lost', error: { code: 'workspace_dirty' } }]);
  });

  it('is made anew for a job that met too many of those', async () => {
    const office = new PoolOffice({ targets: [slots(3)] }, switching(Array(9).fill('workspace_dirty')));
    await office.pool.initializeWarmPool();
    expect(await office.pool.acquire(job('fix'))).toMatchObject({ source: 'cold' });
    expect(office.faults).toHaveLength(3);
  });

  it('that its host cannot switch stays, and jobs with a branch get one of their own, also with `warm`', async () => {
    const office = new PoolOffice(
      { targets: [slots(1)], strategy: 'warm' },
      switching(['not_supported', 'not_supported']),
    );
    await office.pool.initializeWarmPool();
    expect(await office.pool.acquire(job('one'))).toMatchObject({ source: 'cold' });
    expect(await office.pool.acquire(job('two'))).toMatchObject({ source: 'cold' });
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 1, inUse: 2 });
    expect([office.terminated, office.faults]).toEqual([[], []]);
  });

  it('that could not be switched is ended; the job tries again or is told', async () => {
    const office = new PoolOffice({ targets: [slots(2)], strategy: 'warm' }, switching(['host_lost', 'git_failed']));
    await office.pool.initializeWarmPool();
    const given = office.pool.acquire(job('fix'));
    await expect(given).rejects.toMatchObject({ code: 'git_failed' });
    await office.pool.settled();
    expect(office.terminated).toHaveLength(2);
  });

  it('whose job has left while it was switched goes to the next', async () => {
    let open: () => void = () => undefined;
    const office = new PoolOffice({ targets: [slots(1)], strategy: 'warm' }, (real) => ({
      assign: async (id) => {
        await new Promise<void>((resolve) => {
          open = resolve;
        });
        return (await real.get(id))!;
      },
    }));
    await office.pool.initializeWarmPool();
    const abort = new AbortController();
    const first = office.pool.acquire(job('one'), { signal: abort.signal });
    const second = office.pool.acquire(job('two'));
    await office.untilAsked();
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    open();
    await office.untilAsked();
    open();
    expect((await second).session.sessionId).toBe(office.created[0]);
  });
});

describe('admission', () => {
  const admitting = (verdicts: readonly (AdmissionVerdict | Error)[]) => {
    const asked: { role: string; openings: number }[] = [];
    const admit = async (question: { role: string; openings: number }): Promise<AdmissionVerdict> => {
      const verdict = verdicts[asked.length] ?? { kind: 'ok' };
      asked.push(question);
      if (verdict instanceof Error) throw verdict;
      return verdict;
    };
    return { asked, admission: { admit } };
  };

  it('may let wait: it is asked again, and told how many are being opened', async () => {
    const { asked, admission } = admitting([{ kind: 'wait', retryAfterMs: 300 }, { kind: 'ok' }]);
    const office = new PoolOffice({ admission });
    const given = office.pool.acquire(request('FE'));
    const other = office.pool.acquire(request('BE'));
    await other;
    expect(office.pool.getPoolStatus()).toMatchObject({ opening: 0, waiting: 1 });
    await office.pass(300);
    expect(await given).toMatchObject({ source: 'cold', waitedMs: 300 });
    expect(asked).toEqual([
      { role: 'FE', openings: 0 },
      { role: 'BE', openings: 1 },
      { role: 'FE', openings: 0 },
    ]);
  });

  it('may refuse, for a job and for a target', async () => {
    const refuse = { kind: 'refuse' as const, reason: 'This machine is too small.' };
    const { admission } = admitting([refuse, refuse]);
    const office = new PoolOffice({ admission, targets: [target('BE')] });
    await expect(office.take('FE')).rejects.toMatchObject({
      code: 'capacity_exhausted',
      class: 'capacity',
      retryable: true,
      message: 'This machine is too small.',
    });
    await office.pool.initializeWarmPool();
    expect(office.faults).toMatchObject([{ kind: 'open_failed', error: { code: 'capacity_exhausted' } }]);
    expect(office.created).toEqual([]);
  });

  it('that fails is told, and asked again', async () => {
    const { admission } = admitting([new Error('unreadable'), { kind: 'wait', retryAfterMs: 0 }]);
    const office = new PoolOffice({ admission, targets: [target('BE')] });
    await office.pool.initializeWarmPool();
    expect(office.faults).toMatchObject([{ kind: 'admission_failed', retryInMs: 5000 }]);
    await office.pass(5000);
    await office.pass(1);
    expect(office.pool.getPoolStatus().warmIdle).toBe(1);
  });
});

describe('targets', () => {
  it('of an agent that has changed: idle sessions are ended now, used ones when they are given back', async () => {
    const office = new PoolOffice({ targets: [target('FE', 2)], reuse: 'clear' });
    await office.pool.initializeWarmPool();
    const used = await office.take('FE');
    const seen: (string | null)[] = [];
    office.pool.retire(({ key, state, retired }) => {
      seen.push(`${state} ${String(retired)}`);
      return key === 'FE';
    }, 'new persona');
    expect(new Set(seen)).toEqual(new Set(['idle null', 'in_use null']));
    await office.pool.settled();
    expect(office.terminated).toHaveLength(1);
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 2, inUse: 1 });
    await office.giveBack(used);
    expect(office.terminated).toContain(used);
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 2, inUse: 0 });
  });

  it('that are changed end what none of them wants any more', async () => {
    const office = new PoolOffice({ targets: [target('FE', 2)], reuse: 'clear' });
    await office.pool.initializeWarmPool();
    const used = await office.take('FE');
    office.pool.setTargets([target('FE2')]);
    await office.pool.settled();
    expect(office.terminated).toHaveLength(1);
    await office.giveBack(used);
    expect(office.terminated).toContain(used);
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 1, rows: [{ key: 'FE2', warmIdle: 1, target: 1 }] });
  });

  it('and the limit may follow the load; what throws changes nothing', async () => {
    let wanted = 2;
    const office = new PoolOffice({
      max: 4,
      targets: [target('FE', 1)],
      sizing: (_, now) => {
        if (wanted === 0) throw new Error('a bug of the caller');
        return now > 1_100_000 ? {} : { targets: [target('FE', wanted)], max: 99 };
      },
    });
    await office.pool.initializeWarmPool();
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 2, max: 4 });
    wanted = 3;
    await office.pass(60_000);
    expect(office.pool.getPoolStatus().warmIdle).toBe(3);
    wanted = 0;
    await office.pass(30_000);
    await office.pass(30_000);
    expect(office.faults).toMatchObject([{ kind: 'listener_failed', key: null, sessionId: null }]);
    expect(office.pool.getPoolStatus().warmIdle).toBe(3);
    wanted = 3;
    await office.pass(60_000);
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 1, max: 4 });
  });
});

describe('the end', () => {
  it('of a session holds its room until nothing is left, and is tried until it succeeds', async () => {
    let fails = 2;
    const office = new PoolOffice({ max: 1 }, (real) => ({
      terminate: (...call) => (fails-- > 0 ? Promise.reject(failure('host_lost')) : real.terminate(...call)),
    }));
    await office.pool.release(await office.take('FE'), { kind: 'reusable' });
    const next = office.pool.acquire(request('FE'));
    await office.untilAsked();
    office.clock.advance(1000);
    await office.untilAsked();
    expect(office.pool.getPoolStatus()).toMatchObject({ ending: 1, waiting: 1, opening: 0 });
    office.clock.advance(2000);
    expect(await next).toMatchObject({ source: 'cold', waitedMs: 3000 });
    expect(office.faults.map(({ kind, retryInMs }) => [kind, retryInMs])).toEqual([
      ['end_failed', 1000],
      ['end_failed', 2000],
    ]);
  });

  it('of the pool refuses who waits and ends everything, once', async () => {
    const office = new PoolOffice({ max: 2, targets: [target('FE')] });
    await office.pool.initializeWarmPool();
    const used = await office.take('BE');
    const waiting = office.pool.acquire(request('BE', { priority: 1 }), {});
    const other = office.pool.acquire(request('BE'), {});
    const closing = [office.pool.close(), office.pool.close()];
    await expect(other).rejects.toMatchObject({ code: 'closed' });
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await Promise.all(closing);
    expect([await office.living(), office.clock.pending]).toEqual([0, 0]);
    await expect(office.take('FE')).rejects.toMatchObject({ code: 'closed' });
    await office.pool.release(used, { kind: 'reusable' });
    await office.pool.initializeWarmPool();
    expect(await office.living()).toBe(0);
  });

  it('of the pool does not wait for ever for a host that is lost', async () => {
    const office = new PoolOffice({}, () => ({ terminate: () => Promise.reject(failure('host_lost')) }));
    await office.take('FE');
    const closing = office.pool.close();
    for (let tries = 0; tries < 3; tries += 1) {
      await office.untilAsked();
      office.clock.advance(2000);
    }
    await closing;
    expect(office.terminated).toHaveLength(3);
  });
});

describe('what is told', () => {
  it('is how things stand, whenever something moves', async () => {
    const office = new PoolOffice({ max: 3, targets: [target('FE')] });
    const seen: string[] = [];
    const off = office.pool.on('change', ({ opening, warmIdle, inUse, ending }) =>
      seen.push([opening, warmIdle, inUse, ending].join(' ')),
    );
    await office.pool.initializeWarmPool();
    await office.giveBack(await office.take('FE'));
    off();
    await office.take('BE');
    expect(seen.slice(0, 5)).toEqual(expect.arrayContaining(['1 0 0 0', '0 1 0 0', '0 0 1 0', '1 0 0 1']));
    expect(office.pool.getPoolStatus().rows.map(({ key, target: wanted, inUse }) => [key, wanted, inUse])).toEqual([
      ['BE', 0, 1],
      ['FE', 1, 0],
    ]);
  });

  it('is what is wrong with options', () => {
    expect(() => new PoolOffice({ max: 0 })).toThrow(/pool options is not valid/);
    expect(() => new PoolOffice({ idleCloseMs: -1 })).toThrow(/idleCloseMs/);
  });
});

describe('a session kept ready', () => {
  const at = 0;

  it('whose host is going to close is replaced at once; one in use is ended when it is given back', async () => {
    const office = new PoolOffice({ targets: [target('FE', 2)], reuse: 'clear' });
    await office.pool.initializeWarmPool();
    const [used, idle] = [await office.take('FE'), office.created[0]!];
    const other = office.created.find((sessionId) => sessionId !== used)!;
    expect([used, other]).toContain(idle);
    for (const sessionId of office.created.slice()) office.told.emit('retiring', { sessionId, at });
    await office.pool.settled();
    expect(office.terminated).toEqual([other]);
    expect(office.pool.getPoolStatus()).toMatchObject({ warmIdle: 2 });
    await office.giveBack(used);
    expect(office.terminated).toEqual([other, used]);
    expect(office.faults).toEqual([]);
  });

  it('of which nobody knows how it is any more is not handed out; one in use is for its job to judge', async () => {
    const office = new PoolOffice({ targets: [target('FE', 2)], reuse: 'clear' });
    await office.pool.initializeWarmPool();
    const used = await office.take('FE');
    const idle = office.created.find((sessionId) => sessionId !== used)!;
    for (const sessionId of [used, idle]) office.told.emit('status', { sessionId, status: 'error', at });
    await office.pool.settled();
    expect(office.terminated).toEqual([idle]);
    expect(office.faults).toMatchObject([{ kind: 'session_lost', sessionId: idle }]);
    await office.giveBack(used);
    expect(office.terminated).toEqual([idle]);
  });
});
