import { describe, expect, it } from 'vitest';

import type { ContractRun } from './contract-run.ts';

/** Subscribing and unsubscribing. */
export function eventsContract(run: ContractRun): void {
  describe('events', () => {
    it('tells nothing more after unsubscribing, and unsubscribing twice is harmless', async () => {
      const session = await run.borrow();
      let heard = 0;
      const stop = run.sessions.on('turn', ({ sessionId }) => {
        if (sessionId === session.id) heard += 1;
      });
      stop();
      stop();
      await session.run(run.prompts.quick);
      await session.log.until((told) => told.of('turn').some(({ change }) => change === 'ended'));
      expect(heard).toBe(0);
    });

    it('numbers output without gaps', async () => {
      const session = await run.start();
      await session.run(run.prompts.quick);
      await run.sessions.terminate(session.id);
      await session.log.until((told) => told.of('exit').length > 0);
      let next = 0;
      for (const { offset, bytes } of session.log.of('output')) {
        expect(offset).toBe(next);
        next = offset + bytes.length;
      }
      expect(next).toBeGreaterThan(0);
    });

    it('tells each session apart', async () => {
      const [one, other] = [await run.borrow(), await run.borrow()];
      const ended = await one.run(run.prompts.quick);
      await one.log.until((told) => told.changesOf(ended.turnId).some(({ change }) => change === 'ended'));
      expect(other.log.of('turn')).toEqual([]);
      expect(other.log.of('status').map(({ status }) => status)).not.toContain('executing');
    });
  });
}
