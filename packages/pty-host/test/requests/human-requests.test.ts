import { memoryRequestStore, newId, type HumanRequest, type RequestFault, type SessionEvents } from '@semo-office/core';
import { FakeClock, expectError } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { HumanRequests } from '../../src/requests/human-requests.ts';

const DAY_MS = 24 * 3_600_000;

/** A host's requests; another host on the same store begins with `next`. */
function stage({ store = memoryRequestStore(), clock = new FakeClock() } = {}) {
  const settled: SessionEvents['request_settled'][] = [];
  const faults: RequestFault[] = [];
  const living = new Set<string>();
  const elsewhere = new Set<string>();
  const requests = new HumanRequests({
    store,
    clock,
    retentionMs: 30 * DAY_MS,
    whereabouts: async (sessionId) => {
      if (living.has(sessionId)) return 'here';
      return elsewhere.has(sessionId) ? 'elsewhere' : 'gone';
    },
    onSettled: (event) => settled.push(event),
    onFault: (fault) => faults.push(fault),
  });
  const ask = async (more: Partial<HumanRequest> = {}) => {
    const ids = { requestId: newId('req'), sessionId: newId('ses'), turnId: newId('turn') };
    const request: HumanRequest = { ...ids, kind: 'permission', tool: 'Bash', askedAt: clock.now(), ...more };
    living.add(request.sessionId);
    const withdrawn = new AbortController();
    const told = Promise.withResolvers<void>();
    const reply = requests.open(request, { withdrawn: withdrawn.signal, onOpen: told.resolve });
    await told.promise;
    return { request, reply, withdrawn };
  };
  return { store, clock, requests, settled, faults, elsewhere, ask, next: () => stage({ store, clock }) };
}

const yes = { answer: { behavior: 'allow' }, by: 'person' } as const;

describe('a question that waits', () => {
  it('is kept before it is told, and answered once', async () => {
    const { requests, store, settled, ask, clock } = stage();
    const { request, reply } = await ask({ askedAt: 5 });
    expect((await store.get(request.requestId))?.state).toEqual({ kind: 'open' });
    expect(await requests.list()).toEqual([{ ...request, session: 'alive' }]);
    const answer = { behavior: 'deny', message: 'No.' } as const;
    await requests.answer(request.requestId, { answer, by: 'Mina' });
    expect(await reply).toEqual({ kind: 'answered', answer });
    expect(await requests.list()).toEqual([]);
    const at = clock.now();
    const state = { kind: 'answered', answer, by: 'Mina', at, givenAt: at };
    expect((await store.get(request.requestId))?.state).toEqual(state);
    expect(settled).toEqual([{ request, state, at }]);
    await expectError(requests.answer(request.requestId, yes), 'request_unknown');
  });

  it('is taken back by its agent or with its session', async () => {
    const { requests, store, settled, ask } = stage();
    const [one, two, three] = [await ask({ sessionId: 'ses_a' }), await ask({ sessionId: 'ses_a' }), await ask()];
    one.withdrawn.abort();
    requests.withdraw('ses_a', 'turn_over');
    expect(await Promise.all([one.reply, two.reply])).toEqual([{ kind: 'withdrawn' }, { kind: 'withdrawn' }]);
    expect((await requests.list()).map(({ requestId }) => requestId)).toEqual([three.request.requestId]);
    const stateOf = async (requestId: string) => (await store.get(requestId))?.state;
    expect(await stateOf(one.request.requestId)).toMatchObject({ kind: 'withdrawn', why: 'agent' });
    expect(await stateOf(two.request.requestId)).toMatchObject({ kind: 'withdrawn', why: 'turn_over' });
    expect(settled).toHaveLength(2);
    await expectError(requests.answer(one.request.requestId, yes), 'request_unknown');
  });

  it('that is taken back before it is kept is never told', async () => {
    const { requests, store, settled } = stage();
    const request: HumanRequest = { requestId: 'req_1', sessionId: 's', turnId: 't', kind: 'question', askedAt: 1 };
    const onOpen = () => expect.fail('told');
    expect(await requests.open(request, { withdrawn: AbortSignal.abort(), onOpen })).toEqual({ kind: 'withdrawn' });
    await requests.settled();
    expect((await store.get('req_1'))?.state).toMatchObject({ kind: 'withdrawn', why: 'agent' });
    expect(settled).toEqual([]);
  });

  it('expires at its deadline, however far away', async () => {
    const { requests, store, clock, ask } = stage();
    const { request, reply } = await ask({ expiresAt: clock.now() + 60 * DAY_MS });
    clock.advance(60 * DAY_MS - 1);
    expect(await requests.list()).toHaveLength(1);
    clock.advance(1);
    expect(await reply).toEqual({ kind: 'expired' });
    expect((await store.get(request.requestId))?.state).toEqual({ kind: 'expired', at: clock.now() });
    await expectError(requests.answer(request.requestId, yes), 'request_unknown');
    expect(clock.pending).toBe(0);
  });

  it('gets what the store says where another was faster', async () => {
    const { requests, store, settled, ask } = stage();
    const { request, reply } = await ask();
    const answer = { behavior: 'deny', message: 'First.' } as const;
    await store.settle(request.requestId, { kind: 'answered', answer, by: 'other', at: 1, givenAt: null });
    await expectError(requests.answer(request.requestId, yes), 'request_unknown');
    expect(await reply).toEqual({ kind: 'answered', answer });
    expect(settled).toMatchObject([{ state: { by: 'other' } }]);
  });

  it('is asked and answered also where nothing can be kept', async () => {
    const broken = () => Promise.reject(new Error('No space left.'));
    const store = { ...memoryRequestStore(), put: broken, prune: broken };
    const { requests, faults, ask } = stage({ store });
    const { request, reply } = await ask();
    await requests.answer(request.requestId, yes);
    expect(await reply).toEqual({ kind: 'answered', answer: { behavior: 'allow' } });
    expect(faults.map(({ message }) => message)).toContain('No space left.');
  });
});

describe('a question whose host died', () => {
  const question = { conversationId: crypto.randomUUID(), input: { command: 'make', description: 'Build' } };
  const sameAgain = { ...question, input: { description: 'Build', command: 'make' } };

  it('is listed by the next one, answered days later, and the answer given once', async () => {
    const dead = stage();
    const { request } = await dead.ask(question);
    const { requests, settled, clock, ask } = dead.next();
    expect(await requests.list()).toEqual([{ ...request, session: 'resumable' }]);
    clock.advance(9 * DAY_MS);
    await requests.answer(request.requestId, yes);
    expect(await requests.list()).toEqual([]);
    expect(settled).toMatchObject([{ state: { kind: 'answered', givenAt: null } }]);
    const later = dead.next().requests;
    const asked = { ...request, ...sameAgain, requestId: newId('req'), sessionId: newId('ses') };
    expect(await later.recall({ ...asked, input: { command: 'make install' } })).toBeNull();
    expect(await later.recall({ ...asked, tool: 'Write' })).toBeNull();
    expect(await later.recall({ ...asked, kind: 'question' })).toBeNull();
    expect(await later.recall({ ...asked, conversationId: crypto.randomUUID() })).toBeNull();
    expect(await later.recall(asked)).toEqual({ behavior: 'allow' });
    expect(await later.recall(asked)).toBeNull();
    expect((await ask(sameAgain)).request.conversationId).toBe(question.conversationId);
  });

  it('is taken back when its conversation asks it again', async () => {
    const dead = stage();
    const { request } = await dead.ask(question);
    const { requests, store, ask } = dead.next();
    expect(await requests.recall({ ...request, ...sameAgain, sessionId: newId('ses') })).toBeNull();
    const again = await ask(sameAgain);
    expect((await requests.list()).map(({ requestId }) => requestId)).toEqual([again.request.requestId]);
    expect((await store.get(request.requestId))?.state).toMatchObject({ kind: 'withdrawn', why: 'asked_again' });
  });

  it('that nothing can go on with is listed as such, and its answer recorded', async () => {
    const dead = stage();
    const { request } = await dead.ask();
    const { requests, store } = dead.next();
    expect(await requests.list(request.sessionId)).toEqual([{ ...request, session: 'gone' }]);
    await requests.answer(request.requestId, yes);
    expect((await store.get(request.requestId))?.state).toMatchObject({ kind: 'answered', givenAt: null });
  });

  it('is left to a host that lives', async () => {
    const { next, ask } = stage();
    const { request } = await ask();
    const { requests, elsewhere } = next();
    elsewhere.add(request.sessionId);
    expect(await requests.list()).toEqual([]);
    await expectError(requests.answer(request.requestId, yes), 'request_unknown');
  });

  it('expires meanwhile', async () => {
    const dead = stage();
    const { request } = await dead.ask({ ...question, expiresAt: dead.clock.now() + DAY_MS });
    // The dead host's own clock stands still.
    const { requests, settled } = stage({ store: dead.store, clock: new FakeClock(dead.clock.now() + DAY_MS) });
    await expectError(requests.answer(request.requestId, yes), 'request_unknown');
    expect(await requests.list()).toEqual([]);
    expect(settled).toMatchObject([{ state: { kind: 'expired' } }]);
  });

  it('stays open when its host leaves in good order, if its conversation is kept', async () => {
    const { requests, ask, next } = stage();
    const [kept, other] = [await ask(question), await ask()];
    await requests.leave();
    expect(await Promise.all([kept.reply, other.reply])).toEqual([{ kind: 'withdrawn' }, { kind: 'withdrawn' }]);
    expect(await next().requests.list()).toMatchObject([{ requestId: kept.request.requestId, session: 'resumable' }]);
  });

  it('is forgotten when it was settled long ago', async () => {
    const { requests, store, clock, ask } = stage();
    const { request } = await ask();
    await requests.answer(request.requestId, yes);
    const { request: open } = await ask();
    clock.advance(30 * DAY_MS + 1);
    const { request: fresh } = await ask();
    expect((await store.list()).map(({ request: { requestId } }) => requestId)).toEqual([
      open.requestId,
      fresh.requestId,
    ]);
    expect(await store.get(request.requestId)).toBeNull();
  });
});
