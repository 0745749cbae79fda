import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { newId, type AgentSpec } from '@semo-office/core';
import {
  agentEnvironment,
  claudeBinary,
  hang,
  promptTexts,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
  type ModelServer,
} from '@semo-office/testbed';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';

import { identify, isAlive } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';
import { readNotes } from '../../src/readoption/session-notes.ts';
import { TMUX } from '../terminal/tmux/tmux-stage.ts';
import { leftByHost, type LeftPrompt } from './left-host.ts';

/** Others may be at work on this machine. */
const LOAD = { timeout: 120_000 };
const CLAUDE = { kind: 'claude', permissionMode: 'bypassPermissions' } as const;
const THINK = 'Think.';
const WRITE = 'Write it down.';
const WAIT = { timeout: 60_000, interval: 50 };

/** A model that thinks until it is released, and answers everything else at once. */
async function stage(prompts: readonly LeftPrompt[], agent: AgentSpec = CLAUDE) {
  const model = await startModelServer({
    script(request) {
      const prompt = promptTexts(request).at(-1)?.trim();
      if (prompt === THINK) return hang({ thenText: 'Thought.' });
      return prompt === WRITE ? useTool('Bash', { command: 'touch made', description: 'x' }) : say('The sum is 42.');
    },
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
  return { model, left: await leftByHost({ agent, prompts, env }) };
}

/** All that Claude Code has written of conversations below a folder. */
const transcriptsIn = (folder: string) => textsIn(folder, /\/projects\/.*\.jsonl$/);
/** What it says that it is doing. */
const statusesIn = (folder: string) => textsIn(folder, /\/config\/sessions\/\d+\.json$/);

async function textsIn(folder: string, pattern: RegExp): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => pattern.test(name));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')))).join('\n');
}

const asked = (model: ModelServer, prompt: string): number =>
  model.messages.filter((request) => promptTexts(request).at(-1)?.trim() === prompt).length;

describe.skipIf(TMUX.path === null)(`a Claude Code in tmux whose host was killed${TMUX.reason}`, LOAD, () => {
  it('ends the turn it is at under the next host, takes the next prompt, and leaves nothing', async () => {
    const turnId = newId('turn');
    const { model, left } = await stage([{ prompt: THINK, turnId }]);
    const { sessionId } = left;
    const { sessions, reports } = left.next();
    expect(await sessions.get(sessionId)).toMatchObject({ status: 'executing', turnId });
    expect(reports).toMatchObject([{ takenUp: [{ sessionId }], swept: [] }]);
    await vi.waitFor(() => expect(asked(model, THINK)).toBe(1), WAIT);
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

  it('is asked what became of a turn that ended while there was no host', async () => {
    const turnId = newId('turn');
    const { model, left } = await stage([{ prompt: THINK, turnId }]);
    await vi.waitFor(() => expect(asked(model, THINK)).toBe(1), WAIT);
    model.release();
    await vi.waitFor(async () => expect(await transcriptsIn(left.stateDir)).toContain('Thought.'), WAIT);
    const { sessions } = left.next();
    expect(await sessions.waitForTurn(left.sessionId, turnId)).toMatchObject({
      state: { outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end' },
      text: 'Thought.',
    });
    expect(await sessions.get(left.sessionId)).toMatchObject({ status: 'ready', turnId: null });
    const next = await sessions.sendPrompt(left.sessionId, 'Add 20 and 22.');
    expect(await sessions.waitForTurn(left.sessionId, next.turnId)).toMatchObject({ text: 'The sum is 42.' });
  });

  it('is ended, and why is told, where somebody else listens to its hooks', async () => {
    const { left } = await stage([]);
    const notes = await readNotes(join(left.stateDir, 'sessions', left.sessionId));
    const { endpoint } = z.object({ endpoint: z.object({ url: z.string() }) }).parse(notes.session.driver);
    const stranger = createServer().listen(Number(new URL(endpoint.url).port), '127.0.0.1');
    await once(stranger, 'listening');
    onTestFinished(() => void stranger.close());
    const { sessions, reports } = left.next();
    expect(await sessions.list()).toEqual([]);
    expect(reports).toMatchObject([
      {
        takenUp: [],
        swept: [
          { sessionId: left.sessionId, reason: expect.stringContaining(endpoint.url), survivors: [], faults: [] },
        ],
      },
    ]);
    expect(table.find(left.pid)?.state ?? 'gone').toMatch(/^(Z|gone)$/);
  });

  it('is ended where it has asked a person, and its turn can be resumed', async () => {
    const turnId = newId('turn');
    const { left } = await stage([{ prompt: WRITE, turnId }], { ...CLAUDE, permissionMode: 'default' });
    await vi.waitFor(async () => expect(await statusesIn(left.stateDir)).toContain('"waiting"'), WAIT);
    const { sessions, reports } = left.next();
    expect(await sessions.waitForTurn(left.sessionId, turnId)).toMatchObject({
      state: { outcome: 'crashed', error: { code: 'agent_crashed' } },
    });
    expect(reports).toMatchObject([{ takenUp: [], swept: [{ reason: expect.stringContaining('asked a person') }] }]);
  });
});
