import { afterEach, describe, expect, it } from 'vitest';

import { newId } from '../src/ids.ts';
import type { HumanRequest } from '../src/session/human-request.ts';
import type { RequestRecord, SettledState } from '../src/session/request-record.ts';
import type { RequestStore } from '../src/session/request-store.ts';
import { HARD_TEXT, expectKept } from './hard-text.ts';

/** A store that is ready to be tested. */
export interface OpenedRequestStore {
  readonly store: RequestStore;
  /** The same records through another object, as another process would see them. Default: the store itself. */
  reopen?(): RequestStore;
  close?(): Promise<void>;
}

const allow = (more: Partial<Extract<SettledState, { kind: 'answered' }>> = {}): SettledState => ({
  kind: 'answered',
  answer: { behavior: 'allow' },
  by: 'person',
  at: 2000,
  givenAt: null,
  ...more,
});

function openRecord(more: Partial<HumanRequest> = {}): RequestRecord {
  const ids = { requestId: newId('req'), sessionId: newId('ses'), turnId: newId('turn') };
  return { request: { ...ids, kind: 'permission', askedAt: 1000, ...more }, state: { kind: 'open' } };
}

/**
 * The suite that every `RequestStore` passes.
 *
 * @example
 * ```ts
 * describeRequestStoreContract('in memory', async () => ({ store: memoryRequestStore() }));
 * ```
 */
export function describeRequestStoreContract(name: string, open: () => Promise<OpenedRequestStore>): void {
  describe(`request store: ${name}`, () => {
    const opened: OpenedRequestStore[] = [];
    const start = async (): Promise<{ store: RequestStore; again: () => RequestStore }> => {
      const one = await open();
      opened.push(one);
      return { store: one.store, again: () => one.reopen?.() ?? one.store };
    };
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close?.();
    });

    keepingContract(start);
    settlingContract(start);
    givingContract(start);
    pruningContract(start);
  });
}

type Start = () => Promise<{ readonly store: RequestStore; readonly again: () => RequestStore }>;

function keepingContract(start: Start): void {
  it('gives back what was put, whatever it asks', async () => {
    const { store, again } = await start();
    const record = openRecord({
      tool: 'Bash',
      input: { command: 'echo "한국어 🙂"\n', deep: [{ x: null }] },
      expiresAt: 5000,
      conversationId: crypto.randomUUID(),
    });
    await store.put(record);
    expect(await again().get(record.request.requestId)).toEqual(record);
    expect(await again().list()).toEqual([record]);
    expect(await store.get(newId('req'))).toBeNull();
  });

  it('keeps whatever agents ask, if need be with marks in the place of characters', async () => {
    const { store, again } = await start();
    const input = { command: HARD_TEXT, [HARD_TEXT]: [HARD_TEXT] };
    const record = openRecord({ tool: HARD_TEXT, input });
    const { requestId } = record.request;
    await store.put(record);
    expectKept(await again().get(requestId), record);
    const state = allow({ answer: { behavior: 'allow', updatedInput: input } });
    expect(await store.settle(requestId, state)).toBe(true);
    expectKept((await again().get(requestId))?.state, state);
    expect(await store.list()).toHaveLength(1);
  });

  it('keeps the first of two with one id, also when that is settled', async () => {
    const { store } = await start();
    const record = openRecord();
    await store.put(record);
    await store.settle(record.request.requestId, { kind: 'expired', at: 3000 });
    await store.put(record);
    expect((await store.get(record.request.requestId))?.state).toEqual({ kind: 'expired', at: 3000 });
  });

  it('lists by state, session and conversation, the oldest first', async () => {
    const { store } = await start();
    const conversationId = crypto.randomUUID();
    const late = openRecord({ askedAt: 3000, conversationId });
    const early = openRecord({ askedAt: 1000, sessionId: late.request.sessionId });
    const settled = openRecord({ askedAt: 2000 });
    for (const record of [late, early, settled]) await store.put(record);
    await store.settle(settled.request.requestId, { kind: 'withdrawn', why: 'turn_over', at: 2500 });
    const ids = async (filter: Parameters<RequestStore['list']>[0]): Promise<string[]> =>
      (await store.list(filter)).map(({ request }) => request.requestId);
    expect(await ids({})).toEqual([early, settled, late].map(({ request }) => request.requestId));
    expect(await ids({ state: 'open' })).toEqual([early, late].map(({ request }) => request.requestId));
    expect(await ids({ state: 'withdrawn' })).toEqual([settled.request.requestId]);
    expect(await ids({ sessionId: settled.request.sessionId, state: 'open' })).toEqual([]);
    expect(await ids({ conversationId })).toEqual([late.request.requestId]);
  });

  it('refuses what is no record', async () => {
    const { store } = await start();
    const wrong = { ...openRecord(), state: { kind: 'perhaps' } } as unknown as RequestRecord;
    await expect(store.put(wrong)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await store.list()).toEqual([]);
  });

  it('is not changed through what it gave', async () => {
    const { store } = await start();
    const record = openRecord({ input: { command: 'ls' } });
    await store.put(record);
    const [given] = await store.list();
    (given!.request.input as { command: string }).command = 'rm';
    expect(await store.get(record.request.requestId)).toEqual(record);
  });
}

function settlingContract(start: Start): void {
  it('settles once, whoever tries', async () => {
    const { store, again } = await start();
    const record = openRecord();
    const { requestId } = record.request;
    await store.put(record);
    const states: SettledState[] = [
      allow(),
      { kind: 'withdrawn', why: 'agent', at: 2000 },
      { kind: 'expired', at: 2000 },
      allow({ at: 2001 }),
    ];
    const attempts = states.map((state, index) => (index % 2 === 0 ? store : again()).settle(requestId, state));
    const won = await Promise.all(attempts);
    expect(won.filter(Boolean)).toHaveLength(1);
    const kept = (await again().get(requestId))?.state;
    expect(kept).toEqual(states[won.indexOf(true)]);
    expect(await store.settle(requestId, allow({ at: 9000 }))).toBe(false);
    expect((await store.get(requestId))?.state).toEqual(kept);
  });

  it('settles nothing that was never put', async () => {
    const { store } = await start();
    expect(await store.settle(newId('req'), allow())).toBe(false);
    expect(await store.list()).toEqual([]);
  });
}

function givingContract(start: Start): void {
  it('gives a kept answer once', async () => {
    const { store, again } = await start();
    const record = openRecord();
    const { requestId } = record.request;
    await store.put(record);
    expect(await store.give(requestId, 1500)).toBe(false);
    await store.settle(requestId, allow());
    const taken = await Promise.all([store.give(requestId, 4000), again().give(requestId, 4001)]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect((await store.get(requestId))?.state).toEqual(allow({ givenAt: taken[0] ? 4000 : 4001 }));
    expect(await store.give(requestId, 5000)).toBe(false);
  });

  it('gives nothing that the agent has had, nor what is no answer', async () => {
    const { store } = await start();
    const [answered, expired] = [openRecord(), openRecord()];
    await store.put(answered);
    await store.put(expired);
    await store.settle(answered.request.requestId, allow({ givenAt: 2000 }));
    await store.settle(expired.request.requestId, { kind: 'expired', at: 2000 });
    expect(await store.give(answered.request.requestId, 3000)).toBe(false);
    expect(await store.give(expired.request.requestId, 3000)).toBe(false);
    expect(await store.give(newId('req'), 3000)).toBe(false);
  });
}

function pruningContract(start: Start): void {
  it('forgets what was settled long ago, never what is open', async () => {
    const { store, again } = await start();
    const [open, old, fresh] = [openRecord(), openRecord(), openRecord()];
    for (const record of [open, old, fresh]) await store.put(record);
    await store.settle(old.request.requestId, allow({ at: 2000, givenAt: 2000 }));
    await store.settle(fresh.request.requestId, { kind: 'expired', at: 3000 });
    expect(await store.prune(3000)).toBe(1);
    expect(await store.prune(3000)).toBe(0);
    expect((await again().list()).map(({ request }) => request.requestId).toSorted()).toEqual(
      [open, fresh].map(({ request }) => request.requestId).toSorted(),
    );
  });
}
