import { describe, expect, it } from 'vitest';

import { newId } from '../../src/ids.ts';
import { expectError, outcomeOf, type ContractRun } from './contract-run.ts';

/** What not every agent does: ask, crash, forget. */
export function agentsContract(run: ContractRun, { canReset }: { readonly canReset: boolean }): void {
  describe('agents', () => {
    it('knows no request that was never made', async () => {
      await expectError(run.sessions.answerRequest(newId('req'), { behavior: 'allow' }), 'request_unknown');
    });

    if (canReset) resetContract(run);
    else noResetContract(run);
    const { crash, ask } = run.prompts;
    if (crash !== null) crashContract(run, crash);
    if (ask !== null) askContract(run, ask);
  });
}

function resetContract(run: ContractRun): void {
  it('forgets the conversation, and not while it works', async () => {
    const session = await run.borrow();
    await session.run(run.prompts.quick);
    await run.sessions.reset(session.id);
    const turn = await session.run(run.prompts.quick);
    expect(outcomeOf(turn)).toBe('completed');
    await session.prompt(run.prompts.endless);
    await expectError(run.sessions.reset(session.id), 'session_busy');
  });
}

function noResetContract(run: ContractRun): void {
  it('says that it cannot forget the conversation', async () => {
    const { id } = await run.borrow();
    await expectError(run.sessions.reset(id), 'not_supported');
  });
}

function crashContract(run: ContractRun, crash: string): void {
  it('tells of an agent that dies', async () => {
    const session = await run.borrow();
    const { turnId } = await session.prompt(crash);
    const ended = await run.sessions.waitForTurn(session.id, turnId);
    expect(ended.state).toMatchObject({ outcome: 'crashed', error: { code: 'agent_crashed' } });
    await session.log.until((told) => told.of('exit').length > 0);
    expect(session.log.of('exit')).toHaveLength(1);
    expect((await run.sessions.get(session.id))?.exit).not.toBeNull();
    await expectError(session.prompt(run.prompts.quick), 'session_terminated');
  });
}

function askContract(run: ContractRun, ask: string): void {
  it('hands requests to people and answers to agents', async () => {
    const { id, prompt, log } = await run.borrow();
    const { turnId } = await prompt(ask);
    await log.until(
      (told) => told.of('request').length > 0 && told.changesOf(turnId).some(({ change }) => change === 'waiting'),
    );
    const requests = await run.sessions.listRequests({ sessionId: id });
    expect(requests).toEqual([{ ...log.of('request')[0]?.request, session: 'alive' }]);
    expect(requests[0]).toMatchObject({ sessionId: id, turnId, kind: 'permission' });
    expect((await run.sessions.get(id))?.status).toBe('waiting_input');
    const requestId = requests[0]?.requestId ?? '';
    await run.sessions.answerRequest(requestId, { behavior: 'allow' }, { by: 'Mina' });
    expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('completed');
    expect(await run.sessions.listRequests({ sessionId: id })).toEqual([]);
    await expectError(run.sessions.answerRequest(requestId, { behavior: 'allow' }), 'request_unknown');
    await log.until((told) => told.of('request_settled').length > 0);
    expect(log.of('request_settled')).toMatchObject([
      { request: { requestId }, state: { kind: 'answered', answer: { behavior: 'allow' }, by: 'Mina' } },
    ]);
  });

  it('takes one answer of several', async () => {
    const { id, prompt, log } = await run.borrow();
    const { turnId } = await prompt(ask);
    await log.until((told) => told.of('request').length > 0);
    const { requestId } = log.of('request')[0]!.request;
    const answers = Array.from({ length: 5 }, () => run.sessions.answerRequest(requestId, { behavior: 'allow' }));
    const taken = (await Promise.allSettled(answers)).filter(({ status }) => status === 'fulfilled');
    expect(taken).toHaveLength(1);
    expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('completed');
    await log.until((told) => told.of('request_settled').length > 0);
    expect(log.of('request_settled')).toHaveLength(1);
  });

  it('withdraws a request with its turn', async () => {
    const { id, prompt, log } = await run.borrow();
    const { turnId } = await prompt(ask);
    await log.until((told) => told.of('request').length > 0);
    await run.sessions.cancel(id);
    expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('cancelled');
    expect(await run.sessions.listRequests({ sessionId: id })).toEqual([]);
    await log.until((told) => told.of('request_settled').length > 0);
    expect(log.of('request_settled')).toMatchObject([{ state: { kind: 'withdrawn', why: 'turn_over' } }]);
  });

  it('says no for a request that expires', async () => {
    const session = await run.borrow();
    const requests = { expiresAfterMs: 50, onExpiry: 'deny' } as const;
    expect(outcomeOf(await session.run(ask, { requests }))).toBe('completed');
    await session.log.until((told) => told.of('request_settled').length > 0);
    const [asked] = session.log.of('request');
    expect(asked?.request.expiresAt).toBe(asked!.request.askedAt + 50);
    expect(session.log.of('request_settled')).toMatchObject([{ state: { kind: 'expired' } }]);
  });

  it('ends the turn with a request that expires', async () => {
    const session = await run.borrow();
    const ended = await session.run(ask, { requests: { expiresAfterMs: 50 } });
    expect(outcomeOf(ended)).toBe('needs_input');
    expect(await run.sessions.listRequests({ sessionId: session.id })).toEqual([]);
  });

  it('ends the turn where nobody is there to answer', async () => {
    const session = await run.borrow();
    const ended = await session.run(ask, { onNeedsPerson: 'interrupt' });
    expect(outcomeOf(ended)).toBe('needs_input');
  });
}
