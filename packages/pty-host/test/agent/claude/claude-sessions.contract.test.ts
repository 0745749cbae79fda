import { describeSessionManagerContract, type ContractPrompts, type OpenedSessions } from '@semo-office/core/testing';
import {
  createGitRepository,
  hang,
  promptTexts,
  say,
  sayLines,
  useTool,
  type ModelRequest,
  type ModelStep,
} from '@semo-office/testbed';

import { claudeStage } from './claude-stage.ts';

const slot = { kind: 'slot', repoId: 'app' } as const;

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
  return isAnswered(request) ? say('Touched.') : useTool('Bash', { command: 'touch asked', description: 'Touch' });
}

/** Whether a tool's result came after the last prompt: earlier turns of the conversation have results too. */
function isAnswered({ body }: ModelRequest): boolean {
  const content = body.messages.at(-1)?.content ?? [];
  if (typeof content === 'string') return false;
  const promptedAt = content.findLastIndex(({ text }) => String(text).trim() === CLAUDE_PROMPTS.ask);
  return content.findLastIndex(({ type }) => type === 'tool_result') > promptedAt;
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
