import { afterEach, describe, expect, it } from 'vitest';

import {
  SemoError,
  createOffice,
  openRequestDesk,
  type RequestNotice,
  type Notifier,
  type OpenRequest,
  type RequestDesk,
  type RequestDeskFault,
  type RequestDeskOptions,
  type SessionManager,
} from '../../src/index.ts';
import { EventLog, FakeClock, createScriptedSessions, outcomeOf, scriptedSpec } from '../../testing/index.ts';

const opened: { desk: RequestDesk; sessions: SessionManager }[] = [];
afterEach(async () => {
  for (const { desk, sessions } of opened.splice(0)) {
    desk.close();
    await sessions.close();
  }
});

/** A notifier that keeps what it is told, and tells when something comes. */
function recorder() {
  const notices: RequestNotice[] = [];
  const waits = new Set<() => void>();
  const notifier: Notifier = {
    async notify(notice) {
      if ('requestId' in notice) notices.push(notice);
      for (const wait of waits) wait();
    },
  };
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      const check = () => notices.length >= count && resolve();
      waits.add(check);
      check();
    });
  return { notices, notifier, until };
}

async function stage(options: Partial<RequestDeskOptions> = {}) {
  const clock = new FakeClock();
  const scripted = createScriptedSessions({ clock });
  const sessions = options.sessions ?? scripted;
  const faults: RequestDeskFault[] = [];
  const desk = openRequestDesk({ clock, onFault: (fault) => faults.push(fault), ...options, sessions });
  opened.push({ desk, sessions: scripted });
  await scripted.create(scriptedSpec('ses_1'));
  const log = new EventLog(scripted, 'ses_1');
  const prompt = (text: string, more = {}) => scripted.sendPrompt('ses_1', text, { turnId: 'turn_1', ...more });
  const ended = async () => scripted.waitForTurn('ses_1', 'turn_1');
  return { clock, sessions: scripted, desk, faults, log, prompt, ended };
}

const byOf = (log: EventLog) =>
  log.of('request_settled').map(({ state }) => (state.kind === 'answered' ? state.by : ''));

describe('who answers a request', () => {
  it('first the rules', async () => {
    const policy = () => expect.fail('asked');
    const rules = [{ name: 'shell', tool: 'Bash', answer: { behavior: 'allow' } }] as const;
    const { prompt, ended, log } = await stage({ rules, policy });
    await prompt('ask: Bash');
    expect((await ended()).text).toBe('allowed');
    expect(byOf(log)).toEqual(['rule shell']);
  });

  it('then the policy', async () => {
    const { notifier, notices } = recorder();
    const policy = async ({ tool }: OpenRequest) => ({ behavior: 'deny', message: `No ${tool}.` }) as const;
    const { prompt, ended, log } = await stage({ policy, notifier });
    await prompt('ask: Bash');
    expect((await ended()).text).toBe('denied: No Bash.');
    expect(byOf(log)).toEqual(['policy']);
    expect(notices).toEqual([]);
  });

  it('then people, who are told', async () => {
    const { notifier, notices, until } = recorder();
    const { prompt, ended, sessions } = await stage({ policy: () => null, notifier });
    await prompt('ask: Bash');
    await until(1);
    expect(notices).toMatchObject([{ kind: 'request_opened', sessionId: 'ses_1', tool: 'Bash' }]);
    await sessions.answerRequest(notices[0]!.requestId, { behavior: 'allow' }, { by: 'Mina' });
    expect((await ended()).text).toBe('allowed');
    await until(2);
    expect(notices[1]).toMatchObject({ kind: 'request_settled', outcome: 'allowed', by: 'Mina' });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('Broken.');
      },
    ],
    ['rejects', () => Promise.reject(new Error('Broken.'))],
    ['says nonsense', () => ({ behavior: 'perhaps' }) as never],
    ['says nothing', () => undefined as never],
  ])('people too where the policy %s', async (_how, policy) => {
    const { notifier, until } = recorder();
    const { prompt, sessions, faults } = await stage({ policy, notifier });
    await prompt('ask: Bash');
    await until(1);
    expect(await sessions.listRequests()).toHaveLength(1);
    expect(faults).toMatchObject([{ kind: 'policy_failed', requestId: expect.any(String) }]);
  });

  it('people too where the policy takes its time, and its answer counts all the same', async () => {
    const { notifier, until } = recorder();
    const thinking = Promise.withResolvers<{ behavior: 'allow' }>();
    const { prompt, clock, ended, faults, log } = await stage({ policy: () => thinking.promise, notifier });
    await prompt('ask: Bash');
    clock.advance(60_000);
    await until(1);
    expect(faults).toMatchObject([{ kind: 'policy_slow', requestId: expect.any(String) }]);
    thinking.resolve({ behavior: 'allow' });
    expect((await ended()).text).toBe('allowed');
    expect(byOf(log)).toEqual(['policy']);
  });

  it('anybody, for what waited before the desk was opened', async () => {
    const sessions = createScriptedSessions();
    await sessions.create(scriptedSpec('ses_1'));
    const { turnId } = await sessions.sendPrompt('ses_1', 'ask: Bash');
    const desk = openRequestDesk({ sessions, rules: [{ name: 'all', answer: { behavior: 'allow' } }] });
    opened.push({ desk, sessions });
    expect((await sessions.waitForTurn('ses_1', turnId)).text).toBe('allowed');
  });

  it('refuses rules that are none', () => {
    const sessions = createScriptedSessions();
    const rules = [{ name: 'bad', tool: '', answer: { behavior: 'allow' } }] as const;
    expect(() => openRequestDesk({ sessions, rules })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => createOffice({ sessions, requests: { rules } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});

describe('a request at the desk', () => {
  it('is served once, however often its event comes and it is listed', async () => {
    const { notifier, notices, until } = recorder();
    let asked = 0;
    const policy = () => {
      asked += 1;
      return null;
    };
    const scripted = createScriptedSessions();
    const sessions: SessionManager = Object.assign(Object.create(scripted) as SessionManager, {
      // A line that says everything twice.
      on: ((name, listener) => {
        const stops = [scripted.on(name, listener), scripted.on(name, listener)];
        return () => stops.forEach((stop) => stop());
      }) satisfies SessionManager['on'],
      listRequests: (...all: Parameters<SessionManager['listRequests']>) => scripted.listRequests(...all),
      answerRequest: (...all: Parameters<SessionManager['answerRequest']>) => scripted.answerRequest(...all),
    });
    const desk = openRequestDesk({ sessions, policy, notifier });
    opened.push({ desk, sessions: scripted });
    await scripted.create(scriptedSpec('ses_1'));
    const { turnId } = await scripted.sendPrompt('ses_1', 'ask: Bash');
    await until(1);
    await desk.refresh();
    await scripted.answerRequest(notices[0]!.requestId, { behavior: 'allow' });
    expect(outcomeOf(await scripted.waitForTurn('ses_1', turnId))).toBe('completed');
    await desk.refresh();
    expect(notices.map(({ kind }) => kind)).toEqual(['request_opened', 'request_settled']);
    expect(asked).toBe(1);
  });

  it('is nobody’s any more when it was settled while the policy thought', async () => {
    const thinking = Promise.withResolvers<AbortSignal>();
    const decided = Promise.withResolvers<{ behavior: 'allow' }>();
    const policy: RequestDeskOptions['policy'] = (_request, { signal }) => {
      thinking.resolve(signal);
      return decided.promise;
    };
    const { notifier, notices } = recorder();
    const { prompt, sessions, ended, faults } = await stage({ policy, notifier });
    await prompt('ask: Bash');
    const signal = await thinking.promise;
    await sessions.cancel('ses_1');
    expect(outcomeOf(await ended())).toBe('cancelled');
    expect(signal.aborted).toBe(true);
    decided.resolve({ behavior: 'allow' });
    await decided.promise;
    expect({ faults, notices }).toEqual({ faults: [], notices: [] });
  });

  it('is tried again when the answer did not arrive', async () => {
    const scripted = createScriptedSessions();
    let isAway = true;
    const sessions: SessionManager = Object.assign(Object.create(scripted) as SessionManager, {
      on: scripted.on.bind(scripted),
      listRequests: (...all: Parameters<SessionManager['listRequests']>) => scripted.listRequests(...all),
      answerRequest: async (...all: Parameters<SessionManager['answerRequest']>) => {
        if (isAway) throw new SemoError('host_lost', 'Away.');
        await scripted.answerRequest(...all);
      },
    });
    const clock = new FakeClock();
    const failed = Promise.withResolvers<RequestDeskFault>();
    const rules = [{ name: 'all', answer: { behavior: 'allow' } }] as const;
    const desk = openRequestDesk({ sessions, clock, rules, onFault: failed.resolve });
    opened.push({ desk, sessions: scripted });
    await scripted.create(scriptedSpec('ses_1'));
    const { turnId } = await scripted.sendPrompt('ses_1', 'ask: Bash');
    expect(await failed.promise).toMatchObject({ kind: 'answer_failed', message: 'Away.' });
    isAway = false;
    clock.advance(30_000);
    expect((await scripted.waitForTurn('ses_1', turnId)).text).toBe('allowed');
  });

  it('that reaches nobody is left alone', async () => {
    const gone = { requestId: 'req_1', sessionId: 's', turnId: 't', kind: 'permission', askedAt: 1, session: 'gone' };
    const sessions = Object.assign(Object.create(createScriptedSessions()) as SessionManager, {
      on: () => () => {},
      listRequests: () => Promise.resolve([gone, { ...gone, requestId: 'req_2', session: 'resumable' }]),
    });
    const { notifier, notices, until } = recorder();
    const desk = openRequestDesk({ sessions, notifier });
    await until(1);
    expect(notices).toMatchObject([{ requestId: 'req_2' }]);
    desk.close();
  });

  it('of somebody else’s session is left alone', async () => {
    const { notifier, notices, until } = recorder();
    const concerns = ({ sessionId }: OpenRequest) => sessionId === 'ses_2';
    const { sessions, prompt } = await stage({ notifier, concerns });
    await sessions.create(scriptedSpec('ses_2'));
    await prompt('ask: Bash');
    await sessions.sendPrompt('ses_2', 'ask: Bash');
    await until(1);
    expect(notices.map(({ sessionId }) => sessionId)).toEqual(['ses_2']);
  });

  it('says when it cannot list what waits', async () => {
    const sessions = Object.assign(Object.create(createScriptedSessions()) as SessionManager, {
      on: () => () => {},
      listRequests: () => Promise.reject(new SemoError('host_lost', 'Away.')),
    });
    const failed = Promise.withResolvers<RequestDeskFault>();
    const desk = openRequestDesk({ sessions, onFault: failed.resolve });
    expect(await failed.promise).toEqual({ kind: 'list_failed', requestId: undefined, message: 'Away.' });
    desk.close();
  });
});

describe('a notifier', () => {
  it('that fails or hangs fails nothing else', async () => {
    const faults: RequestDeskFault[] = [];
    const told = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const onFault = (fault: RequestDeskFault) => told[faults.push(fault) - 1]?.resolve();
    let calls = 0;
    const signals: AbortSignal[] = [];
    const notifier: Notifier = {
      notify(_notice, { signal }) {
        signals.push(signal);
        calls += 1;
        return calls === 1 ? Promise.reject(new Error('Refused.')) : new Promise(() => {});
      },
    };
    const { prompt, sessions, ended, clock } = await stage({ notifier, onFault });
    await prompt('ask: Bash\nask: Write');
    await told[0]!.promise;
    await sessions.answerRequest((await sessions.listRequests())[0]!.requestId, { behavior: 'allow' });
    clock.advance(30_000);
    await told[1]!.promise;
    expect(faults.slice(0, 2)).toMatchObject([
      { kind: 'notifier_failed', message: 'Refused.' },
      { kind: 'notifier_failed', message: 'Telling people took longer than 30000 ms.' },
    ]);
    expect(signals[1]!.aborted).toBe(true);
    await sessions.answerRequest((await sessions.listRequests())[0]!.requestId, { behavior: 'allow' });
    expect((await ended()).text).toBe('allowed\nallowed');
  });
});

describe('an office', () => {
  it('answers by its rules, and closes its desk with itself', async () => {
    const clock = new FakeClock();
    const sessions = createScriptedSessions({ clock });
    const rules = [{ name: 'all', answer: { behavior: 'allow' } }] as const;
    const office = createOffice({ sessions, clock, requests: { rules } });
    const { sessionId: _unused, ...session } = scriptedSpec('x');
    expect(await office.executeJob({ prompt: 'ask: Bash', session })).toMatchObject({
      outcome: 'completed',
      text: 'allowed',
    });
    await office.close();
    expect(clock.pending).toBe(0);
  });
});
