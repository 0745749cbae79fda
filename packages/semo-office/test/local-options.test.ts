import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createLocalOffice, joinOffice, openLocalOffice } from '../src/index.ts';

type Call = (...given: unknown[]) => unknown;

/** Options that no office may be made with, and what the sentence must name. */
const WRONG: readonly (readonly [options: object, named: RegExp])[] = [
  [{ agent: [] }, /"agent"/],
  [{ agents: {} }, /methods find, list[^]*agents/],
  [{ agents: 'FE' }, /agents/],
  [{ jobService: {} }, /method.* onJobComplete[^]*jobService/],
  [{ notifier: {} }, /method.* notify[^]*notifier/],
  [{ keepEndedMs: -1 }, /keepEndedMs/],
  [{ keepEndedMs: '1' }, /keepEndedMs/],
  [{ policy: { classes: { nope: { kind: 'fail' } } } }, /nope/],
  [{ policy: { codes: { nope: { kind: 'fail' } } } }, /nope/],
  [{ policy: { class: {} } }, /"class"/],
  [{ pool: { most: 6 } }, /"most"/],
  [{ pool: { admission: {} } }, /admission/],
  [{ requests: { rule: [] } }, /"rule"/],
  [{ requests: { notifier: {} } }, /requests\.notifier/],
  [{ warm: { FE: 1, QA: 0 }, agents: [] }, /warm names FE,/],
  [{ jobs: {} }, /method.* put, [^]*jobs/],
  [{ clock: {} }, /method.* now, schedule[^]*clock/],
  [{ onFault: 'print' }, /onFault/],
];

const WRONG_HERE: typeof WRONG = [
  ...WRONG,
  [{ memory: { sessionBytes: '600MB' } }, /memory/],
  [{ memory: true }, /memory/],
  [{ terminal: 'screen' }, /"pty"\|"tmux"[^]*terminal/],
  [{ repositories: ['/x'] }, /repositories/],
  [{ repositories: { app: 5 } }, /repositories\.app/],
  [{ logs: true }, /logs/],
  [{ stateDir: 5 }, /stateDir/],
  [{ stateDir: 'a\0b' }, /NUL[^]*stateDir/],
  [{ drivers: [{}] }, /drivers\[0\]/],
  [{ requestStore: {} }, /requestStore/],
  [{ sessionStore: {} }, /sessionStore/],
  [{ sessions: {} }, /"sessions"/],
];

const refusal = (named: RegExp): unknown =>
  expect.objectContaining({ code: 'invalid_argument', message: expect.stringMatching(named) as string });

describe('createLocalOffice', () => {
  it.each(WRONG_HERE)('refuses %j', (options, named) => {
    expect(() => createLocalOffice(options)).toThrow(refusal(named));
  });

  it('refuses what is no options, and a store that it would not use', () => {
    expect(() => (createLocalOffice as Call)(null)).toThrow(refusal(/office options/));
    expect(() => (createLocalOffice as Call)({ store: '/tmp/office.sqlite' })).toThrow(
      refusal(/openLocalOffice[^]*store/),
    );
  });

  it('takes what is left undefined, and no one warm of an agent it has not', async () => {
    await using folder = await temporaryFolder('semo-office-');
    const office = createLocalOffice({
      stateDir: folder.path,
      hostEnv: process.env,
      warm: { FE: 0 },
      logs: undefined,
      memory: {},
      policy: { classes: { crash: { kind: 'fail' } } },
    });
    expect((await office.status()).running).toEqual([]);
    await office.close();
  });
});

describe('openLocalOffice', () => {
  // A folder that cannot be: whatever gets past the options is `store_unusable`.
  const store = '/dev/null/office.sqlite';

  it.each([...WRONG_HERE, [{ store: 5 }, /store/], [{ store: 'a\0b' }, /NUL[^]*store/]] as typeof WRONG)(
    'refuses %j',
    async (options, named) => {
      await expect((openLocalOffice as Call)({ store, ...options })).rejects.toEqual(refusal(named));
    },
  );

  it('refuses to be without a store', async () => {
    await expect((openLocalOffice as Call)()).rejects.toEqual(refusal(/office options/));
    await expect((openLocalOffice as Call)({})).rejects.toEqual(refusal(/store/));
  });
});

describe('joinOffice', () => {
  it.each([
    ...WRONG,
    [{ socketPath: 4 }, /socketPath/],
    [{ signal: {} }, /signal/],
    [{ stateDir: '/x' }, /"stateDir"/],
  ] as typeof WRONG)('refuses %j before it looks for a host', async (options, named) => {
    await expect((joinOffice as Call)({ socketPath: '/nowhere/semo.sock', ...options })).rejects.toEqual(
      refusal(named),
    );
  });

  it('refuses to be without a socket', async () => {
    await expect((joinOffice as Call)()).rejects.toEqual(refusal(/office options/));
    await expect((joinOffice as Call)({})).rejects.toEqual(refusal(/socketPath/));
  });
});
