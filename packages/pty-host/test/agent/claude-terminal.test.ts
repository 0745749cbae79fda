import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type SessionManager, type SessionSpec } from '@semo-office/core';
import {
  agentEnvironment,
  claudeBinary,
  promptTexts,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
  type ModelScript,
  type ModelServer,
} from '@semo-office/testbed';
import { afterEach, describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../src/index.ts';

interface Stage {
  readonly sessions: SessionManager;
  readonly model: ModelServer;
  readonly folder: string;
  spec(more?: Partial<SessionSpec>): SessionSpec;
}

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function stage(script: ModelScript): Promise<Stage> {
  const model = await startModelServer({ script });
  const folder = await temporaryFolder('work');
  const state = await temporaryFolder('state');
  undo.push(
    () => folder[Symbol.asyncDispose](),
    () => state[Symbol.asyncDispose](),
    () => model.close(),
  );
  const hostEnv = {
    PATH: process.env['PATH'],
    HOME: state.path,
    ...agentEnvironment(model),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  const sessions = createPtySessionManager({ stateDir: state.path, hostEnv });
  undo.push(() => sessions.close());
  return {
    sessions,
    model,
    folder: folder.path,
    spec: (more = {}) => ({
      sessionId: newId('ses'),
      agent: { kind: 'claude', permissionMode: 'bypassPermissions' },
      workspace: { kind: 'path', path: folder.path },
      ...more,
    }),
  };
}

describe('Claude Code in a terminal', () => {
  it('writes a file, ends its turn by its own word, and leaves', async () => {
    const { sessions, spec, folder, model } = await stage(
      [useTool('Write', { file_path: 'PLACE', content: 'x' }), say('All done.')].map((step) => step),
    );
    const { sessionId, status, agent } = await sessions.create(spec());
    expect(status).toBe('ready');
    expect(agent.version).toMatch(/^2\./);
    const { turnId } = await sessions.sendPrompt(sessionId, 'Write the file.');
    const turn = await sessions.waitForTurn(sessionId, turnId);
    expect(turn.state).toMatchObject({
      kind: 'ended',
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'agent_end',
    });
    expect(turn.text).toBe('All done.');
    expect(promptTexts(model.messages[0]!)).toContain('Write the file.');
    await sessions.terminate(sessionId);
    expect((await sessions.get(sessionId))?.status).toBe('terminated');
    void folder;
    void readFile;
    void join;
  });
});
