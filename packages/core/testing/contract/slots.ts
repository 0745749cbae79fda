import { describe, expect, it } from 'vitest';

import { newId } from '../../src/ids.ts';
import { expectError, outcomeOf, type ContractRun } from './contract-run.ts';
import type { SessionManagerHarness } from './harness.ts';

/** Sessions that are started before their job is known. */
export function slotsContract(run: ContractRun, { slot }: Pick<SessionManagerHarness, 'slot'>): void {
  describe('slots', () => {
    it('are what a session without one does not have', async () => {
      const { id } = await run.borrow();
      await expectError(run.sessions.assign(id, { branch: 'some' }), 'not_supported');
      await expectError(run.sessions.assign(id, { branch: '' }), 'invalid_argument');
      await expectError(run.sessions.assign(id, { branch: 'some', taskId: '../up' }), 'invalid_argument');
    });

    if (slot === undefined) return;
    const start = () => run.start({ workspace: slot });
    const names = () => ({ branch: `job/${newId('job')}`, taskId: newId('job') });

    it('have no branch until they are given a job', async () => {
      const { id, info } = await start();
      expect(info).toMatchObject({ worktreeId: null, workspace: { kind: 'git', repoId: slot.repoId } });
      expect(info.workspace.branch).toBeUndefined();
      expect(info.workspace.link).toBeUndefined();
      const job = names();
      const assigned = await run.sessions.assign(id, { ...job, role: 'FE' });
      expect(assigned).toMatchObject({
        sessionId: id,
        status: 'ready',
        worktreeId: job.branch,
        workspace: { kind: 'git', repoId: slot.repoId, path: info.workspace.path, branch: job.branch },
      });
      expect(assigned.workspace.link).toMatch(new RegExp(`/agent/FE/${job.taskId}$`));
      expect((await run.sessions.get(id))?.workspace).toEqual(assigned.workspace);
    });

    it('take the same job twice as once, and another one after it', async () => {
      const session = await start();
      const [first, second] = [names(), names()];
      const once = await run.sessions.assign(session.id, first);
      expect((await run.sessions.assign(session.id, first)).workspace).toEqual(once.workspace);
      expect(outcomeOf(await session.run(run.prompts.quick))).toBe('completed');
      expect((await run.sessions.assign(session.id, second)).worktreeId).toBe(second.branch);
      expect(outcomeOf(await session.run(run.prompts.quick))).toBe('completed');
    });

    it('are not switched while a turn runs, nor after their end', async () => {
      const session = await start();
      const { turnId } = await session.prompt(run.prompts.endless);
      await expectError(run.sessions.assign(session.id, names()), 'session_busy');
      await run.sessions.cancel(session.id);
      await run.sessions.waitForTurn(session.id, turnId);
      await run.sessions.terminate(session.id, { graceMs: 500 });
      await expectError(run.sessions.assign(session.id, names()), 'session_terminated');
    });

    it('are gone at the end, and say so', async () => {
      const { id, log } = await start();
      const { branch } = names();
      await run.sessions.assign(id, { branch });
      await run.sessions.terminate(id, { graceMs: 500 });
      await log.until((told) => told.of('exit').length > 0);
      expect((await run.sessions.get(id))?.workspace).toMatchObject({ branch, kept: null });
    });
  });
}
