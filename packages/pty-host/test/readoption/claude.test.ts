import { newId, type PromptOptions } from '@semo-office/core';
import {
  agentEnvironment,
  claudeBinary,
  hang,
  promptTexts,
  say,
  startModelServer,
  temporaryFolder,
  type ModelServer,
} from '@semo-office/testbed';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { identify, isAlive } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';
import { TMUX } from '../terminal/tmux/tmux-stage.ts';
import { leftByHost, type LeftPrompt } from './left-host.ts';

const CLAUDE = { kind: 'claude', permissionMode: 'bypassPermissions' } as const;
const THINK = 'Think.';

/** A model that thinks until it is released, and answers everything else at once. */
async function stage(prompts: readonly (LeftPrompt & PromptOptions)[]) {
  const model = await startModelServer({
    script: (request) =>
      promptTexts(request).at(-1)?.trim() === THINK ? hang({ thenText: 'Thought.' }) : say('The sum is 42.'),
  });
  const home = await temporaryFolder('semo-home-');
  onTestFinished(async () => {
    await model.close();
    await home[Symbol.asyncDispose]();
  });
  const env = {
    HOME: home.path,
    PATH: process.env['PATH'],
    ...agentEnvironment(model),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  return { model, left: await leftByHost({ agent: CLAUDE, prompts, env }) };
}

const asked = (model: ModelServer, prompt: string): number =>
  model.messages.filter((request) => promptTexts(request).at(-1)?.trim() === prompt).length;

describe.skipIf(TMUX.path === null)(`a Claude Code in tmux whose host was killed${TMUX.reason}`, () => {
  it('ends the turn it is at under the next host, takes the next prompt, and leaves nothing', async () => {
    const turnId = newId('turn');
    const { model, left } = await stage([{ prompt: THINK, turnId }]);
    const { sessionId } = left;
    const { sessions, reports } = left.next();
    expect(await sessions.get(sessionId)).toMatchObject({ status: 'executing', turnId });
    expect(reports).toMatchObject([{ takenUp: [{ sessionId }], swept: [] }]);
    await vi.waitFor(() => expect(asked(model, THINK)).toBe(1), { timeout: 20_000 });
    model.release();
    // Its own hook has told so: the new host listens where the old one did.
    expect(await sessions.waitForTurn(sessionId, turnId)).toMatchObject({
      state: { outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end' },
      text: 'Thought.',
    });
    const next = await sessions.sendPrompt(sessionId, 'Add 20 and 22.');
    expect(await sessions.waitForTurn(sessionId, next.turnId)).toMatchObject({ text: 'The sum is 42.' });
    expect(asked(model, THINK)).toBe(1);
    const root = identify(table, left.pid);
    await sessions.terminate(sessionId);
    expect(root !== null && isAlive(table, root)).toBe(false);
  });
});
