import { describe, expect, it } from 'vitest';

import { newId } from '../../src/ids.ts';
import { expectError, outcomeOf, type ContractRun } from './contract-run.ts';

/** Waiting for a turn, and giving up. */
export function waitingContract(run: ContractRun): void {
  describe('waitForTurn', () => {
    it('resolves before and after the end, for everybody', async () => {
      const { id, prompt } = await run.borrow();
      const { turnId } = await prompt(run.prompts.quick);
      const [one, other] = await Promise.all([
        run.sessions.waitForTurn(id, turnId),
        run.sessions.waitForTurn(id, turnId),
      ]);
      expect(other).toEqual(one);
      expect(await run.sessions.waitForTurn(id, turnId)).toEqual(one);
    });

    it('knows no turn that never was', async () => {
      const { id } = await run.borrow();
      await expectError(run.sessions.waitForTurn(id, newId('turn')), 'turn_unknown');
    });

    it('gives up after its time, and leaves the turn alone', async () => {
      const { id, prompt } = await run.borrow();
      const { turnId } = await prompt(run.prompts.endless);
      const error = await expectError(run.sessions.waitForTurn(id, turnId, { timeoutMs: 50 }), 'wait_timed_out');
      expect(error.retryable).toBe(true);
      expect((await run.sessions.getTurn(id, turnId))?.state.kind).toBe('running');
      await run.sessions.cancel(id);
      expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('cancelled');
    });

    it('gives up by its signal, and leaves the turn alone', async () => {
      const { id, prompt } = await run.borrow();
      const { turnId } = await prompt(run.prompts.endless);
      const giveUp = new AbortController();
      const waiting = expectError(run.sessions.waitForTurn(id, turnId, { signal: giveUp.signal }), 'aborted');
      giveUp.abort();
      await waiting;
      await expectError(run.sessions.waitForTurn(id, turnId, { signal: giveUp.signal }), 'aborted');
      expect((await run.sessions.getTurn(id, turnId))?.state.kind).toBe('running');
    });
  });
}
