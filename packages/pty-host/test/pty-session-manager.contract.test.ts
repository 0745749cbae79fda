import { describeSessionManagerContract, type OpenedSessions } from '@semo-office/core/testing';
import { createGitRepository, temporaryFolder } from '@semo-office/testbed';

import { createPtySessionManager } from '../src/index.ts';
import { PROGRAM_PROMPTS, printed, programAgent } from './prompted-program.ts';

async function programSessions(over: 'terminal' | 'pipe'): Promise<OpenedSessions> {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const repository = await createGitRepository();
  const sessions = createPtySessionManager({ stateDir: state.path, repositories: { app: repository.path } });
  return {
    sessions,
    specFor: (sessionId) => ({ sessionId, agent: programAgent(over), workspace: { kind: 'path', path: work.path } }),
    whenListening: (sessionId) => printed(sessions, sessionId, 'listening'),
    async close() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}

const slot = { kind: 'slot', repoId: 'app' } as const;

for (const over of ['terminal', 'pipe'] as const) {
  describeSessionManagerContract(`a program, ${over === 'pipe' ? 'over pipes' : 'in a terminal'}`, {
    prompts: PROGRAM_PROMPTS,
    canReset: false,
    slot,
    open: () => programSessions(over),
  });
}
