import { describeSessionManagerContract, outcomeOf, type OpenedSessions } from '@semo-office/core/testing';
import { hang, promptTexts, say, temporaryFolder } from '@semo-office/testbed';
import { newId } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../../src/index.ts';
import { claudeStage } from '../../agent/claude/claude-stage.ts';
import { PROGRAM_PROMPTS, printed, programAgent } from '../../prompted-program.ts';
import { TMUX } from './tmux-stage.ts';

async function programSessions(): Promise<OpenedSessions> {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const sessions = createPtySessionManager({ stateDir: state.path, terminal: 'tmux' });
  return {
    sessions,
    specFor: (sessionId) => ({
      sessionId,
      agent: programAgent('terminal'),
      workspace: { kind: 'path', path: work.path },
    }),
    whenListening: (sessionId) => printed(sessions, sessionId, 'listening'),
    async close() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

// The contract is the terminal's to keep, and a program's is the quickest to run; the other agents are tried once each.
describe.skipIf(TMUX.path === null)(`in tmux${TMUX.reason}`, () => {
  describeSessionManagerContract('a program', { prompts: PROGRAM_PROMPTS, canReset: false, open: programSessions });

  it('a shell runs commands', async () => {
    await using work = await temporaryFolder('semo-work-');
    await using state = await temporaryFolder('semo-state-');
    const sessions = createPtySessionManager({ stateDir: state.path, terminal: 'tmux' });
    const sessionId = newId('ses');
    await sessions.create({ sessionId, agent: { kind: 'shell' }, workspace: { kind: 'path', path: work.path } });
    const { turnId } = await sessions.sendPrompt(sessionId, 'echo "The sum is $((20 + 22))."; false');
    const turn = await sessions.waitForTurn(sessionId, turnId);
    expect([outcomeOf(turn), turn.text]).toEqual(['failed', 'The sum is 42.']);
    await sessions.close();
  });

  it('Claude Code answers, is interrupted, and goes on', async () => {
    const model = (request: Parameters<typeof promptTexts>[0]) =>
      promptTexts(request).at(-1)?.trim() === 'Think for ever.' ? hang({ text: 'Hm.' }) : say('The sum is 42.');
    await using stage = await claudeStage(model, { terminal: 'tmux' });
    const { sessionId } = await stage.sessions.create(stage.spec());
    expect((await stage.ask(sessionId, 'Add 20 and 22.')).text).toBe('The sum is 42.');
    const { turnId } = await stage.sessions.sendPrompt(sessionId, 'Think for ever.');
    await stage.sessions.cancel(sessionId);
    expect(outcomeOf(await stage.sessions.waitForTurn(sessionId, turnId))).toBe('cancelled');
    expect((await stage.ask(sessionId, 'Add 1 and 41.')).text).toBe('The sum is 42.');
  });
});
