import { afterAll, afterEach, beforeAll, describe } from 'vitest';

import { agentsContract } from './contract/agents.ts';
import { ContractRun } from './contract/contract-run.ts';
import { eventsContract } from './contract/events.ts';
import type { SessionManagerHarness } from './contract/harness.ts';
import { slotsContract } from './contract/slots.ts';
import { sessionsContract } from './contract/sessions.ts';
import { limitsContract } from './contract/limits.ts';
import { terminalContract } from './contract/terminal.ts';
import { turnsContract } from './contract/turns.ts';
import { waitingContract } from './contract/waiting.ts';

/**
 * The suite that every `SessionManager` passes, whatever it runs and wherever. One manager serves all tests; every test
 * makes sessions of its own and terminates them, or takes one at rest that others have used, since many agents are slow to
 * start.
 *
 * @example
 * ```ts
 * describeSessionManagerContract('scripted sessions', {
 *   prompts: { ...SCRIPTED_PROMPTS },
 *   canReset: true,
 *   async open() {
 *     const sessions = createScriptedSessions();
 *     return { sessions, specFor: scriptedSpec, close: () => sessions.close() };
 *   },
 * });
 * ```
 */
export function describeSessionManagerContract(name: string, harness: SessionManagerHarness): void {
  describe(`${name}: the contract of SessionManager`, () => {
    const run = new ContractRun(harness);
    beforeAll(() => run.open());
    afterEach(({ task }) => run.cleanUp({ failed: task.result?.state === 'fail' }));
    afterAll(() => run.close());

    sessionsContract(run);
    turnsContract(run);
    waitingContract(run);
    terminalContract(run, harness);
    agentsContract(run, harness);
    eventsContract(run);
    slotsContract(run, harness);
    limitsContract(run, harness);
  });
}
