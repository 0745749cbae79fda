import { describe, expect, it } from 'vitest';

import { newId } from '../../src/ids.ts';
import type { SessionSpec } from '../../src/session/session.ts';
import { expectError, type ContractRun } from './contract-run.ts';

/** Creating, finding and ending sessions. */
export function sessionsContract(run: ContractRun): void {
  describe('sessions', () => {
    it('creates a session that is ready', async () => {
      const { id, info, spec } = await run.start();
      expect(info).toMatchObject({ sessionId: id, status: 'ready', turnId: null, exit: null });
      expect(info.agent.kind).toBe(spec.agent.kind);
    });

    it('creates once, however often it is asked with the same spec', async () => {
      const { id, spec, info } = await run.borrow();
      const again = await Promise.all([run.sessions.create(spec), run.sessions.create(spec)]);
      expect(again.map(({ sessionId, createdAt }) => ({ sessionId, createdAt }))).toEqual([
        { sessionId: id, createdAt: info.createdAt },
        { sessionId: id, createdAt: info.createdAt },
      ]);
    });

    it('refuses the same id with another spec', async () => {
      const { spec } = await run.borrow();
      await expectError(run.sessions.create({ ...spec, size: { cols: 99, rows: 33 } }), 'session_conflict');
    });

    it('refuses a spec that is none', async () => {
      const spec = run.specFor(newId('ses'));
      await expectError(run.sessions.create({ ...spec, sessionId: '../up' }), 'invalid_argument');
      await expectError(
        run.sessions.create({ ...spec, agent: { kind: 'unheard_of' } } as unknown as SessionSpec),
        'invalid_argument',
      );
    });

    it('finds sessions by id, and lists them', async () => {
      const [first, second] = [await run.borrow(), await run.borrow()];
      expect((await run.sessions.get(first.id))?.sessionId).toBe(first.id);
      const listed = (await run.sessions.list()).map(({ sessionId }) => sessionId);
      expect(listed).toEqual(expect.arrayContaining([first.id, second.id]));
    });

    it('lists by status', async () => {
      const [alive, dead] = [await run.borrow(), await run.borrow()];
      await run.sessions.terminate(dead.id);
      const idsOf = async (status: 'ready' | 'terminated') =>
        (await run.sessions.list({ status: [status] })).map(({ sessionId }) => sessionId);
      const [ready, terminated] = [await idsOf('ready'), await idsOf('terminated')];
      expect(ready).toContain(alive.id);
      expect(ready).not.toContain(dead.id);
      expect(terminated).toContain(dead.id);
      expect(terminated).not.toContain(alive.id);
      expect(await run.sessions.list({ status: [] })).toEqual([]);
    });

    it('gives null for a session that never was', async () => {
      expect(await run.sessions.get(newId('ses'))).toBeNull();
    });

    it('answers calls to a session that never was with session_unknown', async () => {
      const { sessions, prompts } = run;
      const id = newId('ses');
      const calls = [
        sessions.sendPrompt(id, prompts.quick),
        sessions.getTurn(id, newId('turn')),
        sessions.waitForTurn(id, newId('turn')),
        sessions.sendText(id, 'x'),
        sessions.sendKeystrokes(id, ['Enter']),
        sessions.resize(id, { cols: 80, rows: 24 }),
        sessions.getOutput(id),
        sessions.cancel(id),
        sessions.reset(id),
        sessions.assign(id, { branch: 'some' }),
        sessions.terminate(id),
      ];
      for (const call of await Promise.allSettled(calls)) {
        expect(call).toMatchObject({ status: 'rejected', reason: { code: 'session_unknown' } });
      }
    });

    it('terminates once, however often it is asked', async () => {
      const { id, log } = await run.borrow();
      await Promise.all([run.sessions.terminate(id), run.sessions.terminate(id)]);
      await run.sessions.terminate(id);
      await log.until((told) => told.of('exit').length > 0);
      const info = await run.sessions.get(id);
      expect(info).toMatchObject({ status: 'terminated', terminalId: null });
      expect(info?.exit).not.toBeNull();
      expect(log.of('exit')).toHaveLength(1);
      expect(log.of('status').at(-1)?.status).toBe('terminated');
    });

    it('answers calls that need a living agent with session_terminated', async () => {
      const { id } = await run.borrow();
      const { sessions, prompts } = run;
      await sessions.terminate(id);
      await expectError(sessions.sendPrompt(id, prompts.quick), 'session_terminated');
      await expectError(sessions.sendText(id, 'x'), 'session_terminated');
      await expectError(sessions.sendKeystrokes(id, ['Enter']), 'session_terminated');
      await expectError(sessions.resize(id, { cols: 80, rows: 24 }), 'session_terminated');
      await expectError(sessions.assign(id, { branch: 'some' }), 'session_terminated');
    });

    it('ends the running turn, and the prompts that wait, with the session', async () => {
      const { id, prompt, log } = await run.borrow();
      const { turnId } = await prompt(run.prompts.endless);
      const waiting = expectError(prompt(run.prompts.quick), 'session_terminated');
      await run.sessions.terminate(id, { graceMs: 500 });
      await waiting;
      const turn = await run.sessions.waitForTurn(id, turnId);
      expect(turn.state).toMatchObject({
        kind: 'ended',
        outcome: expect.stringMatching(/^(cancelled|crashed|unknown)$/) as string,
      });
      await log.until((told) => told.changesOf(turnId).some(({ change }) => change === 'ended'));
    });
  });
}
