import { describe, expect, it } from 'vitest';

import { createOffice, memoryJobStore, type JobStore, type OfficeOptions } from '../../src/index.ts';
import { createScriptedSessions, FakeClock } from '../../testing/index.ts';

type Call = (...given: unknown[]) => Promise<unknown>;

const refusal = (named: RegExp): unknown =>
  expect.objectContaining({ code: 'invalid_argument', message: expect.stringMatching(named) as string });

describe('createOffice', () => {
  it.each([
    [{ sessions: {} }, /methods create, [^]*sessions/],
    [{ sessions: undefined }, /sessions/],
    [{ agent: [] }, /"agent"/],
    [{ agents: {} }, /methods find, list[^]*agents/],
    [{ jobs: {} }, /methods put, [^]*jobs/],
    [{ clock: {} }, /methods now, schedule[^]*clock/],
    [{ keepEndedMs: '1' }, /keepEndedMs/],
    [{ warm: { FE: 1 } }, /warm names FE,/],
    [{ policy: { classes: { nope: { kind: 'fail' } } } }, /nope/],
    [{ requests: { rules: [{ name: 'x' }] } }, /rule/],
  ] as [object, RegExp][])('refuses %j', (options, named) => {
    const given = { sessions: createScriptedSessions(), ...options };
    expect(() => createOffice(given as OfficeOptions)).toThrow(refusal(named));
  });

  it('refuses what is no options', () => {
    for (const given of [undefined, null, {}, 'options'])
      expect(() => (createOffice as unknown as Call)(given)).toThrow(refusal(/office options/));
  });

  it('leaves nothing running when it throws', async () => {
    const clock = new FakeClock();
    const kept = memoryJobStore({ clock });
    const prune = (): never => {
      throw new Error('Not today.');
    };
    const jobs: JobStore = { ...methodsOf(kept), prune };
    const sessions = createScriptedSessions({ clock });
    const requests = { policy: () => null };
    expect(() => createOffice({ sessions, clock, jobs, requests, officeId: 'office' })).toThrow('Not today.');
    await new Promise(setImmediate);
    expect(clock.pending).toBe(0);
    // They are still the caller's.
    expect(await sessions.list()).toEqual([]);
  });
});

describe('a call of an office', () => {
  const job = { agentId: 'FE', prompt: 'Do it.' };

  it.each([
    ['waitForJob', ['job_1', null], /waitForJob/],
    ['waitForJob', ['job_1', { timeoutMs: 'x' }], /timeoutMs/],
    ['waitForJob', ['job_1', { timeout: 5 }], /"timeout"/],
    ['waitForJob', ['job_1', { signal: {} }], /signal/],
    ['executeJob', [job, null], /executeJob/],
    ['executeJob', [job, { signal: {} }], /signal/],
    ['executeJob', [job, { onLine: 'print' }], /onLine/],
    ['on', ['nope', () => undefined], /name of an event/],
    ['on', ['ended', 'x'], /listener/],
    ['close', [{ running: 'stop' }], /running/],
  ] as const)('%s refuses %j', async (name, given, named) => {
    const office = createOffice({ sessions: createScriptedSessions() });
    const call = async (): Promise<unknown> => (office[name] as Call)(...given);
    await expect(call()).rejects.toEqual(refusal(named));
    expect(await office.listJobs()).toEqual([]);
    await office.close();
  });
});

/** A store as a plain object, so that one of its methods can be another. */
function methodsOf(store: JobStore): JobStore {
  return {
    put: (...given) => store.put(...given),
    get: (jobId) => store.get(jobId),
    list: (filter) => store.list(filter),
    claim: (lease) => store.claim(lease),
    renew: (...given) => store.renew(...given),
    change: (...given) => store.change(...given),
    requestCancel: (jobId) => store.requestCancel(jobId),
    reopen: (...given) => store.reopen(...given),
    markReported: (...given) => store.markReported(...given),
    prune: (endedBefore) => store.prune(endedBefore),
    close: () => store.close(),
  };
}
