import { describe, expect, it } from 'vitest';

import { isSemoError } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import { expectError, outcomeOf, type ContractRun, type StartedSession } from './contract-run.ts';
import type { SessionManagerHarness } from './harness.ts';

/** More turns than any agent needs to print what the test lets it. */
const MOST_ROUNDS = 100;

/** What a session may do, and what comes when it has done that. */
export function limitsContract(run: ContractRun, { acceptsWithinMs = 1500 }: SessionManagerHarness): void {
  describe('limits', () => {
    it('takes as many prompts as it may, and says so of the next', async () => {
      const { id, prompt, run: runTurn } = await run.start({ limits: { maxTurns: 2 } });
      const turnId = newId('turn');
      expect(outcomeOf(await runTurn(run.prompts.quick, { turnId }))).toBe('completed');
      expect(outcomeOf(await runTurn(run.prompts.quick))).toBe('completed');
      const error = await expectError(prompt(run.prompts.quick), 'session_exhausted');
      expect(error.class).toBe('capacity');
      // The same turn again is the same turn, and the session is there to be looked at.
      expect((await prompt(run.prompts.quick, { turnId })).turnId).toBe(turnId);
      expect(await run.sessions.get(id)).toMatchObject({ status: 'ready', exit: null });
    });

    it('ends when its time is over, and the turn that runs with it', async () => {
      const { id, prompt, log } = await run.start({ limits: { maxWallMs: acceptsWithinMs } });
      const { turnId } = await prompt(run.prompts.endless);
      const waiting = expectError(prompt(run.prompts.quick), 'session_terminated');
      const turn = await run.sessions.waitForTurn(id, turnId);
      expect(turn.state).toMatchObject({
        outcome: 'timed_out',
        decidedBy: 'timeout',
        error: { code: 'session_timed_out', class: 'timeout' },
      });
      await waiting;
      await log.until((told) => told.of('exit').length > 0);
      expect(await run.sessions.get(id)).toMatchObject({ status: 'terminated', endedBy: 'max_wall' });
      await expectError(prompt(run.prompts.quick), 'session_terminated');
    });

    it('ends when its agent has printed more than it may', async () => {
      const other = await run.borrow();
      const maxOutputTotalBytes = 2 * other.info.output.end + 8192;
      const started = await run.start({ limits: { maxOutputTotalBytes } });
      await promptUntilTerminated(started, run.prompts.printLines?.(500) ?? run.prompts.quick);
      await started.log.until((told) => told.of('exit').length > 0);
      const info = await run.sessions.get(started.id);
      expect(info).toMatchObject({ status: 'terminated', endedBy: 'max_output' });
      expect(info?.output.end).toBeGreaterThan(maxOutputTotalBytes);
    });

    it('says nothing of limits where none has ended it', async () => {
      const { id } = await run.start({ limits: { maxTurns: 1, maxWallMs: 3_600_000, maxOutputTotalBytes: 1e9 } });
      await run.sessions.terminate(id);
      expect((await run.sessions.get(id))?.endedBy).toBeUndefined();
    });
  });
}

async function promptUntilTerminated({ run }: StartedSession, prompt: string): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    try {
      await run(prompt);
    } catch (thrown) {
      if (isSemoError(thrown, 'session_terminated')) return;
      throw thrown;
    }
  }
  expect.fail(`the session took ${MOST_ROUNDS} prompts`);
}
