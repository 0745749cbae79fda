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
    const session = await run.start();
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
    const { id } = await run.start();
    await expectError(run.sessions.reset(id), 'not_supported');
  });
}

function crashContract(run: ContractRun, crash: string): void {
  it('tells of an agent that dies', async () => {
    const session = await run.start();
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
    const { id, prompt, log } = await run.start();
    const { turnId } = await prompt(ask);
    await log.until(
      (told) => told.of('request').length > 0 && told.changesOf(turnId).some(({ change }) => change === 'waiting'),
    );
    const requests = await run.sessions.listRequests({ sessionId: id });
    expect(requests).toEqual([log.of('request')[0]?.request]);
    expect(requests[0]).toMatchObject({ sessionId: id, turnId, kind: 'permission' });
    expect((await run.sessions.get(id))?.status).toBe('waiting_input');
    const requestId = requests[0]?.requestId ?? '';
    await run.sessions.answerRequest(requestId, { behavior: 'allow' });
    expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('completed');
    expect(await run.sessions.listRequests({ sessionId: id })).toEqual([]);
    await expectError(run.sessions.answerRequest(requestId, { behavior: 'allow' }), 'request_unknown');
  });

  it('withdraws a request with its turn', async () => {
    const { id, prompt, log } = await run.start();
    const { turnId } = await prompt(ask);
    await log.until((told) => told.of('request').length > 0);
    await run.sessions.cancel(id);
    expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('cancelled');
    expect(await run.sessions.listRequests({ sessionId: id })).toEqual([]);
  });

  it('ends the turn where nobody is there to answer', async () => {
    const session = await run.start();
    const ended = await session.run(ask, { onNeedsPerson: 'interrupt' });
    expect(outcomeOf(ended)).toBe('needs_input');
  });
}
