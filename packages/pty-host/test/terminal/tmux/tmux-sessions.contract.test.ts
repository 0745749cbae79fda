import { describeSessionManagerContract, type ContractPrompts, type OpenedSessions } from '@semo-office/core/testing';
import { hang, lastToolResults, promptTexts, say, sayLines, temporaryFolder, useTool } from '@semo-office/testbed';
import { describe } from 'vitest';

import { createPtySessionManager } from '../../../src/index.ts';
import { claudeStage } from '../../agent/claude/claude-stage.ts';
import { PROGRAM_PROMPTS, printed, programAgent } from '../../prompted-program.ts';
import { TMUX, processOf } from './tmux-stage.ts';

const SHELL_PROMPTS: ContractPrompts = {
  quick: 'echo "The sum is $((20 + 22))."',
  quickAnswer: 'The sum is 42.',
  endless: 'echo working; sleep 600',
  crash: 'kill -9 $$',
  ask: null,
  printLines: (count) => `for i in $(seq ${count}); do echo line $i; done`,
};

const CLAUDE_PROMPTS: ContractPrompts = {
  quick: 'What is the sum of 20 and 22?',
  quickAnswer: 'The sum is 42.',
  endless: 'Think for ever.',
  crash: 'Die.',
  ask: 'Touch the file.',
  printLines: (count) => `Print ${count} lines.`,
};

async function sessionsOf(agent: 'program' | 'shell'): Promise<OpenedSessions> {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const sessions = createPtySessionManager({ stateDir: state.path, terminal: 'tmux' });
  return {
    sessions,
    specFor: (sessionId) => ({
      sessionId,
      agent: agent === 'program' ? programAgent('terminal') : { kind: 'shell', shell: 'bash' },
      workspace: { kind: 'path', path: work.path },
    }),
    whenListening: (sessionId) => (agent === 'program' ? printed(sessions, sessionId, 'listening') : Promise.resolve()),
    async close() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

async function claudeSessions(): Promise<OpenedSessions> {
  const stage = await claudeStage(
    async (request) => {
      const prompt = promptTexts(request).at(-1)?.trim() ?? '';
      if (prompt === CLAUDE_PROMPTS.crash) {
        for (const info of await stage.sessions.list({ status: ['executing'] }))
          process.kill(processOf(info), 'SIGKILL');
        return hang();
      }
      const lines = /^Print (\d+) lines/.exec(prompt)?.[1];
      if (lines !== undefined) return sayLines(Number(lines));
      if (prompt === CLAUDE_PROMPTS.endless) return hang({ text: 'Hm.' });
      if (prompt !== CLAUDE_PROMPTS.ask || lastToolResults(request).length > 0) return say('The sum is 42.');
      return useTool('Bash', { command: 'touch asked', description: 'Touch' });
    },
    { terminal: 'tmux' },
  );
  return {
    sessions: stage.sessions,
    specFor: (sessionId) => stage.spec({ sessionId }, { permissionMode: 'default' }),
    close: async () => stage[Symbol.asyncDispose](),
  };
}

describe.skipIf(TMUX.path === null)(`in tmux${TMUX.reason}`, () => {
  describeSessionManagerContract('a program', {
    prompts: PROGRAM_PROMPTS,
    canReset: false,
    open: () => sessionsOf('program'),
  });
  describeSessionManagerContract('a shell', {
    prompts: SHELL_PROMPTS,
    canReset: false,
    open: () => sessionsOf('shell'),
  });
  describeSessionManagerContract('Claude Code', { prompts: CLAUDE_PROMPTS, canReset: true, open: claudeSessions });
});
