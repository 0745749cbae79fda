import type { SessionSpec } from '../src/session/session.ts';
import type { Workspace } from '../src/session/workspace.ts';
import type { ContractPrompts } from './contract/harness.ts';

/** A spec for `createScriptedSessions`. */
export function scriptedSpec(sessionId: string): SessionSpec {
  return {
    sessionId,
    agent: { kind: 'command', command: ['scripted'] },
    workspace: { kind: 'path', path: '/scripted' },
  };
}

/** A slot for `createScriptedSessions`, which take any repository. */
export const SCRIPTED_SLOT: Extract<Workspace, { kind: 'slot' }> = { kind: 'slot', repoId: 'app' };

/** The prompts of the contract suite in the words scripted agents know. */
export const SCRIPTED_PROMPTS: ContractPrompts = {
  quick: 'say: The answer is 42. ✓',
  quickAnswer: 'The answer is 42.',
  endless: 'hang',
  crash: 'print: oh\ncrash',
  ask: 'ask: Bash',
  printLines: (count) => `lines ${count}`,
};
