import { setImmediate } from 'node:timers/promises';
import { memorySessionStore, newId, type SessionFault, type SessionStore, type TurnRecord } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, vi } from 'vitest';

import { createPtySessionManager, type PtySessionManagerOptions } from '../../src/index.ts';
import { openJournal } from '../../src/process/session-journal.ts';
import { PROGRAM_PROMPTS, printed, programAgent } from '../prompted-program.ts';

async function stage(options: PtySessionManagerOptions = {}) {
  const state = await temporaryFolder('semo-state-');
  const work = await temporaryFolder('semo-work-');
  const sessionStore = options.sessionStore ?? memorySessionStore();
  const sessions = createPtySessionManager({ stateDir: state.path, hostId: 'host', ...options, sessionStore });
  return {
    sessions,
    store: sessionStore,
    stateDir: state.path,
    async open(environment = {}, over: 'terminal' | 'pipe' = 'pipe') {
      const workspace = { kind: 'path', path: work.path } as const;
      const spec = { sessionId: newId('ses'), agent: programAgent(over), workspace, environment };
      const { sessionId } = await sessions.create(spec);
      await printed(sessions, sessionId, 'listening');
      return sessionId;
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

/** A store of which one operation does not work. */
function failing(name: keyof SessionStore, isMeant: (...args: never[]) => boolean = () => true): SessionStore {
  const store = memorySessionStore();
  const original = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>;
  const failed = (...args: unknown[]) =>
    isMeant(...(args as never[])) ? Promise.reject(new Error('The disk is full.')) : original(...args);
  return Object.assign(store, { [name]: failed });
}

describe('what a host writes down', () => {
  it('is each step of a prompt, and no secret', async () => {
    await using here = await stage();
    const sessionId = await here.open({ set: { TOKEN: 'secret-value' } });
    const first = await here.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.endless);
    const waiting = here.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.quick, {
      turnId: 'turn_next',
      require: 'marker',
    });
    await vi.waitFor(async () => {
      expect((await here.store.getTurn(sessionId, first.turnId))?.delivery.kind).toBe('accepted');
      expect((await here.store.getTurn(sessionId, 'turn_next'))?.delivery.kind).toBe('intent');
    }, 20_000);
    await here.sessions.cancel(sessionId);
    await waiting;
    const ended = await here.sessions.waitForTurn(sessionId, 'turn_next');
    await vi.waitFor(async () => expect(await here.store.listTurns({ open: true })).toEqual([]), 20_000);
    const [one, next] = await here.store.listTurns({ sessionId });
    expect(one?.delivery).toMatchObject({ kind: 'ended', turn: { state: { outcome: 'cancelled' } } });
    expect(next).toMatchObject({ require: 'marker', prompt: { bytes: PROGRAM_PROMPTS.quick.length } });
    expect(next?.delivery).toMatchObject({ kind: 'ended', turn: ended, submittedAt: expect.any(Number) as number });
    const session = await here.store.getSession(sessionId);
    expect(session).toMatchObject({ hostId: 'host', info: { hostId: 'host' }, endedAt: null, transcripts: null });
    expect(session?.spec.environment).toEqual({ pass: [], set: ['TOKEN'] });
    await here.sessions.terminate(sessionId);
    const gone = await here.store.getSession(sessionId);
    expect(gone).toMatchObject({ endedAt: expect.any(Number), info: { status: 'terminated', terminalId: null } });
    expect(JSON.stringify([gone, next])).not.toMatch(/secret-value|add 20/);
  });

  it('comes before the first byte: what cannot be written is not sent', async () => {
    await using here = await stage({ sessionStore: failing('putTurn') });
    const sessionId = await here.open();
    const refusal = here.sessions.sendPrompt(sessionId, 'crash');
    await expect(refusal).rejects.toMatchObject({
      code: 'prompt_not_accepted',
      message: expect.stringContaining('disk is full'),
    });
    expect(await here.sessions.get(sessionId)).toMatchObject({ status: 'ready', turnId: null });
    const output = await here.sessions.getOutput(sessionId);
    expect(output).toMatchObject({ text: expect.not.stringContaining('crash') });
  });

  it('is the end of a turn before the next prompt is sent', async () => {
    const steps: string[] = [];
    const slow = Promise.withResolvers<void>();
    const sessionStore = memorySessionStore();
    const putTurn = sessionStore.putTurn.bind(sessionStore);
    const advanceTurn = sessionStore.advanceTurn.bind(sessionStore);
    Object.assign(sessionStore, {
      async putTurn(record: TurnRecord) {
        steps.push(`${record.turnId} ${record.delivery.kind}`);
        await putTurn(record);
      },
      async advanceTurn(...[sessionId, turnId, step]: Parameters<SessionStore['advanceTurn']>) {
        if (step.kind === 'ended') await slow.promise;
        steps.push(`${turnId} ${step.kind}`);
        return advanceTurn(sessionId, turnId, step);
      },
    });
    await using here = await stage({ sessionStore });
    const sessionId = await here.open();
    await here.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.quick, { turnId: 'one' });
    await here.sessions.waitForTurn(sessionId, 'one');
    const next = here.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.quick, { turnId: 'two' });
    // As many as a store in memory needs for all its steps.
    for (let turns = 0; turns < 50; turns += 1) await setImmediate();
    expect(steps).not.toContain('two submitted');
    slow.resolve();
    await next;
    expect(steps.indexOf('one ended')).toBeLessThan(steps.indexOf('two submitted'));
    expect(steps).toContain('one ended');
  });

  it('does not hold up a turn that has begun', async () => {
    const faults: SessionFault[] = [];
    const sessionStore = failing('advanceTurn');
    await using here = await stage({ sessionStore, onSessionFault: (fault) => faults.push(fault) });
    const sessionId = await here.open();
    const { turnId } = await here.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.quick);
    expect((await here.sessions.waitForTurn(sessionId, turnId)).text).toContain(PROGRAM_PROMPTS.quickAnswer);
    await here.sessions.terminate(sessionId);
    const fault = { place: `${sessionId}/${turnId}`, message: 'The disk is full.' };
    expect(faults).toEqual([fault, fault]);
  });

  it('is forgotten of a prompt that was refused, which may be sent again with its id', async () => {
    await using here = await stage();
    const sessionId = await here.open({}, 'terminal');
    const send = (prompt: string) => here.sessions.sendPrompt(sessionId, prompt, { turnId: 'turn_again' });
    await expect(send(`add ${'1'.repeat(5000)} 2`)).rejects.toMatchObject({ code: 'prompt_too_long' });
    await vi.waitFor(async () => expect(await here.store.listTurns()).toEqual([]), 20_000);
    await send(PROGRAM_PROMPTS.quick);
    const turn = await here.sessions.waitForTurn(sessionId, 'turn_again');
    await here.sessions.terminate(sessionId);
    expect((await here.store.getTurn(sessionId, 'turn_again'))?.delivery).toMatchObject({ kind: 'ended', turn });
  });

  it('answers for a prompt that was refused and may have arrived all the same, while its session lives', async () => {
    await using here = await stage();
    const sessionId = await here.open();
    const { turnId } = await here.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.quick);
    const turn = { ...(await here.sessions.waitForTurn(sessionId, turnId)), turnId: 'turn_refused' };
    expect(await here.sessions.getTurn(sessionId, 'turn_refused')).toBeNull();
    const prompt = { digest: 'ab'.repeat(32), bytes: 1 };
    const steps = { intentAt: 1000, submittedAt: 1000, acceptedAt: null, endedAt: 1000 };
    const delivery = { kind: 'ended', ...steps, turn } as const;
    const conversationId = null;
    await here.store.putTurn({ sessionId, turnId: 'turn_refused', conversationId, prompt, outputStart: 0, delivery });
    expect(await here.sessions.getTurn(sessionId, 'turn_refused')).toEqual(turn);
  });
});

describe('a host that starts', () => {
  const ses = (digit: number) => `ses_${digit}`;

  it('settles what has nothing left but its record, and of no other host', async () => {
    await using first = await stage();
    const sessionId = await first.open();
    const record = (await first.store.getSession(sessionId))!;
    const store = memorySessionStore();
    const info = (id: string) => ({ ...record.info, sessionId: id });
    await store.putSession({ ...record, sessionId: ses(1), info: info(ses(1)) });
    await store.putSession({ ...record, sessionId: ses(2), info: info(ses(2)), hostId: 'other' });
    await store.putSession({ ...record, sessionId: ses(3), info: info(ses(3)) });
    const prompt = { digest: 'ab'.repeat(32), bytes: 1 };
    const delivery = { kind: 'intent', intentAt: 1000 } as const;
    for (const id of [ses(1), ses(2), ses(3)])
      await store.putTurn({ sessionId: id, turnId: 'turn_x', conversationId: null, prompt, outputStart: 0, delivery });
    await using state = await temporaryFolder('semo-state-');
    // One of a living host.
    await openJournal({ stateDir: state.path }).claim(ses(3));
    const next = createPtySessionManager({ stateDir: state.path, hostId: 'host', sessionStore: store });
    expect((await next.waitForTurn(ses(1), 'turn_x')).state).toMatchObject({ outcome: 'unknown' });
    for (const id of [ses(2), ses(3)]) {
      await expect(next.getTurn(id, 'turn_x')).rejects.toMatchObject({ code: 'session_unknown' });
      expect(await next.get(id)).toBeNull();
    }
    await next.close();
  });

  it('forgets what is old', async () => {
    await using first = await stage();
    const sessionId = await first.open();
    const { turnId } = await first.sessions.sendPrompt(sessionId, PROGRAM_PROMPTS.quick);
    await first.sessions.waitForTurn(sessionId, turnId);
    await first.sessions.terminate(sessionId);
    const { stateDir, store } = first;
    const keeping = createPtySessionManager({ stateDir, sessionStore: store });
    expect(await keeping.get(sessionId)).toMatchObject({ status: 'terminated' });
    await keeping.close();
    const forgetting = createPtySessionManager({ stateDir, sessionStore: store, sessionRetentionMs: -1 });
    await forgetting.list();
    await vi.waitFor(async () => expect(await store.listSessions()).toEqual([]), 20_000);
    expect(await forgetting.get(sessionId)).toBeNull();
    await forgetting.close();
  });

  it('starts although nothing can be read, and says so', async () => {
    const faults: SessionFault[] = [];
    const sessionStore = failing('listSessions');
    await using here = await stage({ sessionStore, onSessionFault: (fault) => faults.push(fault) });
    expect(await here.sessions.list()).toEqual([]);
    expect(faults).toEqual([{ place: 'host', message: 'The disk is full.' }]);
  });
});
