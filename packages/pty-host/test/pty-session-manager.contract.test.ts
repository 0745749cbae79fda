import { describeSessionManagerContract, type ContractPrompts, type OpenedSessions } from '@semo-office/core/testing';
import {
  createGitRepository,
  hang,
  lastToolResults,
  promptTexts,
  say,
  sayLines,
  temporaryFolder,
  useTool,
  type ModelRequest,
  type ModelStep,
} from '@semo-office/testbed';

import { claudeStage } from './agent/claude/claude-stage.ts';
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

const CLAUDE_PROMPTS: ContractPrompts = {
  quick: 'What is the sum of 20 and 22?',
  quickAnswer: 'The sum is 42.',
  endless: 'Think for ever.',
  crash: 'Die.',
  ask: 'Touch the file.',
  printLines: (count) => `Print ${count} lines.`,
};

function claudeAnswer(request: ModelRequest): ModelStep {
  const prompt = promptTexts(request).at(-1)?.trim() ?? '';
  const lines = /^Print (\d+) lines/.exec(prompt)?.[1];
  if (lines !== undefined) return sayLines(Number(lines));
  if (prompt === CLAUDE_PROMPTS.endless) return hang({ text: 'Hm.' });
  if (prompt !== CLAUDE_PROMPTS.ask) return say('The sum is 42.');
  return lastToolResults(request).length === 0
    ? useTool('Bash', { command: 'touch asked', description: 'Touch' })
    : say('Touched.');
}

async function claudeSessions(kind: 'claude' | 'claude-stream'): Promise<OpenedSessions> {
  const repository = await createGitRepository();
  const stage = await claudeStage(
    async (request) => {
      if (promptTexts(request).at(-1) !== CLAUDE_PROMPTS.crash) return claudeAnswer(request);
      for (const { terminalId } of await stage.sessions.list({ status: ['executing'] }))
        process.kill(Number(terminalId), 'SIGKILL');
      return hang();
    },
    { kind, repositories: { app: repository.path } },
  );
  return {
    sessions: stage.sessions,
    specFor: (sessionId) => stage.spec({ sessionId }, { permissionMode: 'default' }),
    async close() {
      await stage[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}

for (const kind of ['claude', 'claude-stream'] as const) {
  describeSessionManagerContract(`Claude Code ${kind === 'claude' ? 'in a terminal' : 'in stream mode'}`, {
    prompts: CLAUDE_PROMPTS,
    canReset: true,
    canType: kind === 'claude',
    slot,
    acceptsWithinMs: 6000,
    open: () => claudeSessions(kind),
  });
}
