import { describe, expect, it } from 'vitest';

import { newId } from '../../src/ids.ts';
import { MAX_PROMPT_BYTES } from '../../src/session/turn.ts';
import { expectError, outcomeOf, type ContractRun } from './contract-run.ts';
import type { EventLog } from './event-log.ts';

const hasEnded =
  (turnId: string) =>
  (log: EventLog): boolean =>
    log.isWhollyTold(turnId);

/** Prompts and what comes of them. */
export function turnsContract(run: ContractRun): void {
  describe('turns', () => {
    it('accepts a prompt and ends its turn once', async () => {
      const { id, prompt, log } = await run.borrow();
      const accepted = await prompt(run.prompts.quick);
      expect(accepted).toMatchObject({ sessionId: id });
      const ended = await run.sessions.waitForTurn(id, accepted.turnId);
      expect(outcomeOf(ended)).toBe('completed');
      expect(ended.text).toMatch(run.prompts.quickAnswer);
      expect(ended).toMatchObject({
        turnId: accepted.turnId,
        acceptedAt: accepted.acceptedAt,
        outputStart: accepted.outputStart,
      });
      await log.until(hasEnded(accepted.turnId));
      await run.sessions.terminate(id);
      await log.until((told) => told.of('exit').length > 0);
      const changes = log.changesOf(accepted.turnId).map(({ change }) => change);
      expect(changes.filter((change) => change === 'ended')).toHaveLength(1);
      expect(changes[0]).toBe('started');
      // What the turn used may follow its end, nothing else.
      expect(changes.slice(changes.indexOf('ended') + 1)).toEqual(ended.usageFollows === true ? ['usage'] : []);
    });

    it('keeps what became of a turn', async () => {
      const session = await run.borrow();
      const ended = await session.run(run.prompts.quick);
      await session.log.until((told) => told.isWhollyTold(ended.turnId));
      const { usageFollows: _, ...verdict } = ended;
      const kept = await run.sessions.getTurn(session.id, ended.turnId);
      expect(kept).toEqual({ ...verdict, usage: ended.usage ?? kept?.usage });
      await run.sessions.terminate(session.id);
      expect(await run.sessions.getTurn(session.id, ended.turnId)).toEqual(kept);
    });

    it('tells the status in order: ready, executing, ready, terminated', async () => {
      const session = await run.start();
      await session.run(run.prompts.quick);
      const statuses = (): string[] => session.log.of('status').map(({ status }) => status);
      await session.log.until(
        () => statuses().lastIndexOf('ready') > statuses().indexOf('executing') && statuses().includes('executing'),
      );
      expect((await run.sessions.get(session.id))?.turnId).toBeNull();
      await run.sessions.terminate(session.id);
      await session.log.until(() => statuses().at(-1) === 'terminated');
      const [told, wanted] = [statuses(), ['ready', 'executing', 'ready', 'terminated']];
      let at = -1;
      for (const status of wanted) {
        at = told.indexOf(status, at + 1);
        expect(at, `${status} in ${told.join(', ')}`).toBeGreaterThanOrEqual(0);
      }
    });

    it('tells which turn is running', async () => {
      const { id, prompt, log } = await run.borrow();
      const { turnId } = await prompt(run.prompts.endless);
      await log.until((told) => told.of('status').some(({ status }) => status === 'executing'));
      expect(await run.sessions.get(id)).toMatchObject({ turnId, status: 'executing' });
      expect((await run.sessions.getTurn(id, turnId))?.state.kind).toBe('running');
    });

    it('takes the same turn id once', async () => {
      const { id, prompt, log } = await run.borrow();
      const turnId = newId('turn');
      const [first, second] = await Promise.all([
        prompt(run.prompts.quick, { turnId }),
        prompt(run.prompts.quick, { turnId }),
      ]);
      expect([first.turnId, second.turnId]).toEqual([turnId, turnId]);
      await run.sessions.waitForTurn(id, turnId);
      expect((await prompt(run.prompts.quick, { turnId })).turnId).toBe(turnId);
      await run.sessions.terminate(id);
      await log.until((told) => told.of('exit').length > 0 && hasEnded(turnId)(told));
      expect(log.of('turn').filter(({ change }) => change === 'started')).toHaveLength(1);
      expect(log.of('turn').filter(({ change }) => change === 'ended')).toHaveLength(1);
    });

    it('queues prompts, in order', async () => {
      const { id, prompt, log } = await run.borrow();
      const [first, second] = await Promise.all([prompt(run.prompts.quick), prompt(run.prompts.quick)]);
      await Promise.all([run.sessions.waitForTurn(id, first.turnId), run.sessions.waitForTurn(id, second.turnId)]);
      await log.until((told) => hasEnded(first.turnId)(told) && hasEnded(second.turnId)(told));
      const order = log.of('turn').filter(({ change }) => change === 'started' || change === 'ended');
      expect(order.map(({ change, turn }) => [change, turn.turnId])).toEqual([
        ['started', first.turnId],
        ['ended', first.turnId],
        ['started', second.turnId],
        ['ended', second.turnId],
      ]);
    });

    it('cancels the running turn, and goes on with the next prompt', async () => {
      const { id, prompt, log } = await run.borrow();
      const first = await prompt(run.prompts.endless);
      const second = prompt(run.prompts.quick);
      await run.sessions.cancel(id);
      expect(outcomeOf(await run.sessions.waitForTurn(id, first.turnId))).toBe('cancelled');
      const { turnId } = await second;
      expect(outcomeOf(await run.sessions.waitForTurn(id, turnId))).toBe('completed');
      await log.until(hasEnded(turnId));
      expect(log.changesOf(first.turnId).filter(({ change }) => change === 'ended')).toHaveLength(1);
    });

    it('keeps a cancelled session usable', async () => {
      const session = await run.borrow();
      const { turnId } = await session.prompt(run.prompts.endless);
      await run.sessions.cancel(session.id);
      await run.sessions.waitForTurn(session.id, turnId);
      expect(outcomeOf(await session.run(run.prompts.quick))).toBe('completed');
    });

    it('cancels nothing where nothing runs', async () => {
      const session = await run.borrow();
      await run.sessions.cancel(session.id);
      expect(outcomeOf(await session.run(run.prompts.quick))).toBe('completed');
      await run.sessions.cancel(session.id);
      expect((await run.sessions.get(session.id))?.status).toBe('ready');
    });

    it('ends a turn that takes too long as timed_out', async () => {
      const session = await run.borrow();
      const ended = await session.run(run.prompts.endless, { timeoutMs: 300 });
      expect(ended.state).toMatchObject({
        outcome: 'timed_out',
        decidedBy: 'timeout',
        error: { code: 'turn_timed_out' },
      });
    });

    it('refuses prompts that cannot be delivered', async () => {
      const { prompt } = await run.borrow();
      await expectError(prompt(''), 'invalid_prompt');
      await expectError(prompt(' \n\t'), 'invalid_prompt');
      await expectError(prompt('a\0b'), 'invalid_prompt');
      await expectError(prompt('paste \x1b[201~ ends'), 'invalid_prompt');
      await expectError(prompt('half \ud83d'), 'invalid_prompt');
      await expectError(prompt('x'.repeat(MAX_PROMPT_BYTES + 1)), 'prompt_too_long');
    });

    it('refuses options that are none', async () => {
      const { prompt } = await run.borrow();
      await expectError(prompt(run.prompts.quick, { timeoutMs: -1 }), 'invalid_argument');
      await expectError(prompt(run.prompts.quick, { turnId: 'no id!' }), 'invalid_argument');
    });

    it('gives null for a turn that never was', async () => {
      const { id } = await run.borrow();
      expect(await run.sessions.getTurn(id, newId('turn'))).toBeNull();
    });
  });
}
