import { afterEach, describe, expect, it } from 'vitest';

import { newId } from '../src/ids.ts';
import type { SessionRecord, TurnRecord, TurnStep } from '../src/session/session-record.ts';
import type { SessionFilter, SessionStore, TurnFilter } from '../src/session/session-store.ts';
import { HARD_TEXT, expectKept } from './hard-text.ts';
import { sessionRecord, turnRecord } from './session-store-records.ts';
import { ACCEPTED, SUBMITTED, endedStep, raceContract, stepsContract, type Start } from './session-store-steps.ts';

/** A store that is ready to be tested. */
export interface OpenedSessionStore {
  readonly store: SessionStore;
  /** The same records through another object, as another process would see them. Default: the store itself. */
  reopen?(): SessionStore;
  close?(): Promise<void>;
}

/**
 * The suite that every `SessionStore` passes.
 *
 * @example
 * ```ts
 * describeSessionStoreContract('in memory', async () => ({ store: memorySessionStore() }));
 * ```
 */
export function describeSessionStoreContract(name: string, open: () => Promise<OpenedSessionStore>): void {
  describe(`session store: ${name}`, () => {
    const opened: OpenedSessionStore[] = [];
    const start = async (): Promise<{ store: SessionStore; again: () => SessionStore }> => {
      const one = await open();
      opened.push(one);
      return { store: one.store, again: () => one.reopen?.() ?? one.store };
    };
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close?.();
    });

    sessionsContract(start);
    turnsContract(start);
    stepsContract(start);
    raceContract(start);
    pruningContract(start);
  });
}

function sessionsContract(start: Start): void {
  it('gives back a session as it was put, without a value of its variables', async () => {
    const { store, again } = await start();
    const record = sessionRecord();
    await store.putSession(record);
    expect(await again().getSession(record.sessionId)).toEqual(record);
    expect(await again().listSessions()).toEqual([record]);
    expect(JSON.stringify(await store.listSessions())).not.toContain('secret');
    expect(await store.getSession(newId('ses'))).toBeNull();
  });

  it('keeps what is newest of a session, and its end for good', async () => {
    const { store, again } = await start();
    const record = sessionRecord();
    await store.putSession(record);
    const later: SessionRecord = { ...record, conversationId: 'conv', info: { ...record.info, status: 'executing' } };
    await store.putSession(later);
    expect(await again().getSession(record.sessionId)).toEqual(later);
    const ended: SessionRecord = { ...later, endedAt: 5000, info: { ...later.info, status: 'terminated' } };
    await again().putSession(ended);
    await store.putSession(record);
    await store.putSession({ ...ended, endedAt: 6000 });
    expect(await store.getSession(record.sessionId)).toEqual(ended);
  });

  it('lists sessions by host, conversation and whether they have ended, the oldest first', async () => {
    const { store } = await start();
    const late = sessionRecord({ createdAt: 3000, conversationId: 'conv' });
    const early = sessionRecord({ createdAt: 1000, endedAt: 4000 });
    const elsewhere = sessionRecord({ createdAt: 2000, hostId: 'there' });
    for (const record of [late, early, elsewhere]) await store.putSession(record);
    const ids = async (filter?: SessionFilter): Promise<string[]> =>
      (await store.listSessions(filter)).map(({ sessionId }) => sessionId);
    expect(await ids()).toEqual([early, elsewhere, late].map(({ sessionId }) => sessionId));
    expect(await ids({ hostId: 'here', open: true })).toEqual([late.sessionId]);
    expect(await ids({ open: false })).toEqual([early.sessionId]);
    expect(await ids({ conversationId: 'conv' })).toEqual([late.sessionId]);
    expect(await ids({ conversationId: 'conv', hostId: 'there' })).toEqual([]);
  });

  it('keeps whatever agents say of themselves, if need be with marks in the place of characters', async () => {
    const { store, again } = await start();
    const record = sessionRecord();
    const said = { ...record, info: { ...record.info, agent: { ...record.info.agent, version: HARD_TEXT } } };
    await store.putSession(said);
    expectKept(await again().getSession(record.sessionId), said);
    expect(await store.listSessions()).toHaveLength(1);
  });

  it('refuses what is no session, and is not changed through what it gave', async () => {
    const { store } = await start();
    const record = sessionRecord();
    const wrong = { ...record, endedAt: 'never' } as unknown as SessionRecord;
    await expect(store.putSession(wrong)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await store.listSessions()).toEqual([]);
    await store.putSession(record);
    const [given] = await store.listSessions();
    given!.info.status = 'error';
    expect(await store.getSession(record.sessionId)).toEqual(record);
  });
}

function turnsContract(start: Start): void {
  it('keeps the first of two turns with one id in one session', async () => {
    const { store, again } = await start();
    const record = turnRecord({ require: 'marker' });
    const namesake = turnRecord({ turnId: record.turnId, intentAt: 500 });
    await store.putTurn(record);
    await store.putTurn(namesake);
    await again().putTurn({ ...record, prompt: { digest: 'cd'.repeat(32), bytes: 1 } });
    expect(await again().getTurn(record.sessionId, record.turnId)).toEqual(record);
    expect(await again().listTurns()).toEqual([namesake, record]);
    expect(await store.getTurn(record.sessionId, newId('turn'))).toBeNull();
    expect(await store.getTurn(newId('ses'), record.turnId)).toBeNull();
  });

  it('lists turns by session and whether they have ended, the oldest first', async () => {
    const { store } = await start();
    const late = turnRecord({ intentAt: 3000 });
    const early = turnRecord({ intentAt: 1000, sessionId: late.sessionId });
    const ended = turnRecord({ intentAt: 2000, sessionId: late.sessionId });
    const other = turnRecord({ intentAt: 2500 });
    for (const record of [late, early, ended, other]) await store.putTurn(record);
    await store.advanceTurn(ended.sessionId, ended.turnId, endedStep(ended));
    const ids = async (filter?: TurnFilter): Promise<string[]> =>
      (await store.listTurns(filter)).map(({ turnId }) => turnId);
    expect(await ids()).toEqual([early, ended, other, late].map(({ turnId }) => turnId));
    expect(await ids({ sessionId: late.sessionId, open: true })).toEqual([early, late].map(({ turnId }) => turnId));
    expect(await ids({ open: false })).toEqual([ended.turnId]);
    expect(await ids({ sessionId: newId('ses') })).toEqual([]);
  });

  it('forgets a turn that never was, but none that has ended', async () => {
    const { store, again } = await start();
    const [refused, ended] = [turnRecord(), turnRecord()];
    for (const record of [refused, ended]) await store.putTurn(record);
    await store.advanceTurn(refused.sessionId, refused.turnId, SUBMITTED);
    await store.advanceTurn(ended.sessionId, ended.turnId, endedStep(ended));
    for (const { sessionId, turnId } of [refused, ended, turnRecord()]) await again().forgetTurn(sessionId, turnId);
    expect((await store.listTurns()).map(({ turnId }) => turnId)).toEqual([ended.turnId]);
    expect(await store.advanceTurn(refused.sessionId, refused.turnId, ACCEPTED)).toBe(false);
    await store.putTurn(refused);
    expect(await store.getTurn(refused.sessionId, refused.turnId)).toEqual(refused);
  });

  it('refuses what is no turn and no step, and is not changed through what it gave', async () => {
    const { store } = await start();
    const record = turnRecord();
    const wrong = { ...record, delivery: { kind: 'perhaps' } } as unknown as TurnRecord;
    await expect(store.putTurn(wrong)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await store.listTurns()).toEqual([]);
    await store.putTurn(record);
    const backwards = { kind: 'intent', at: 1 } as unknown as TurnStep;
    const refusal = store.advanceTurn(record.sessionId, record.turnId, backwards);
    await expect(refusal).rejects.toMatchObject({ code: 'invalid_argument' });
    const [given] = await store.listTurns();
    given!.prompt.bytes = 99;
    expect(await store.getTurn(record.sessionId, record.turnId)).toEqual(record);
  });
}

function pruningContract(start: Start): void {
  it('forgets what ended long ago, never what is open', async () => {
    const { store, again } = await start();
    const [open, old, fresh, busy] = [
      sessionRecord({ createdAt: 1 }),
      sessionRecord({ createdAt: 2, endedAt: 4500 }),
      sessionRecord({ createdAt: 3, endedAt: 5000 }),
      sessionRecord({ createdAt: 4, endedAt: 4500 }),
    ];
    for (const record of [open, old, fresh, busy]) await store.putSession(record);
    const turns = [open, old, fresh, busy].map(({ sessionId }) => turnRecord({ sessionId }));
    for (const turn of turns) await store.putTurn(turn);
    for (const turn of turns.slice(0, 3)) {
      const at = turn.sessionId === fresh.sessionId ? 5000 : 4000;
      await store.advanceTurn(turn.sessionId, turn.turnId, endedStep(turn, at));
    }
    expect(await store.prune(5000)).toBe(3);
    expect(await store.prune(5000)).toBe(0);
    const left = (await again().listSessions()).map(({ sessionId }) => sessionId);
    expect(left).toEqual([open, fresh, busy].map(({ sessionId }) => sessionId));
    const leftTurns = (await again().listTurns()).map(({ sessionId }) => sessionId);
    expect(leftTurns.toSorted()).toEqual([fresh, busy].map(({ sessionId }) => sessionId).toSorted());
  });
}
