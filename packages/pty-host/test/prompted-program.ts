import { fileURLToPath } from 'node:url';
import type { AgentSpec, SessionManager } from '@semo-office/core';
import type { ContractPrompts } from '@semo-office/core/testing';

/** The words of `fixtures/prompted-program.mjs`, for the contract suite. */
export const PROGRAM_PROMPTS: ContractPrompts = {
  quick: 'add 20 22',
  quickAnswer: 'The sum is 42. ✓',
  endless: 'endless',
  crash: 'crash',
  ask: null,
  printLines: (count) => `lines ${count}`,
};

/** The program as an agent. */
export function programAgent(over: 'terminal' | 'pipe'): AgentSpec {
  return {
    kind: 'command',
    command: [process.execPath, fileURLToPath(new URL('fixtures/prompted-program.mjs', import.meta.url))],
    over,
  };
}

/** Resolves when a session has printed `text`. A program is interruptible only from the moment it has set that up. */
export async function printed(sessions: SessionManager, sessionId: string, text: string): Promise<void> {
  const seen = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    const slice = await sessions.getOutput(sessionId, { as: 'raw' });
    if (slice.as === 'raw' && Buffer.from(slice.bytes).includes(text)) seen.resolve();
  };
  const stop = sessions.on('output', (event) => {
    if (event.sessionId === sessionId) look().catch(seen.reject);
  });
  await look();
  await seen.promise.finally(stop);
}
