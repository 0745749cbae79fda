import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { newId, type SessionManager } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createClaudeStreamDriver, createPtySessionManager, type ClaudeStreamEvent } from '../../../../src/index.ts';

const EMITTER = fileURLToPath(new URL('../../../fixtures/stream-emitter.mjs', import.meta.url));
const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memoryUsed(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Sessions of a program that speaks like Claude Code, heard by this listener. */
async function emitterStage(onEvent: (event: ClaudeStreamEvent) => void | Promise<void>) {
  const state = await temporaryFolder('semo-state-');
  const work: AsyncDisposable[] = [];
  const hostEnv = { PATH: process.env['PATH'], HOME: state.path, ANTHROPIC_API_KEY: 'sk-ant-none' };
  const drivers = [createClaudeStreamDriver({ binary: EMITTER, onEvent })];
  const sessions = createPtySessionManager({ stateDir: state.path, hostEnv, drivers });
  return {
    sessions,
    async open() {
      const folder = await temporaryFolder('semo-work-');
      work.push(folder);
      const sessionId = newId('ses');
      const workspace = { kind: 'path', path: folder.path } as const;
      await sessions.create({ sessionId, agent: { kind: 'claude-stream' }, workspace });
      return { sessionId, folder: folder.path };
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      for (const folder of [...work, state]) await folder[Symbol.asyncDispose]();
    },
  };
}

async function ask(sessions: SessionManager, sessionId: string, prompt: string) {
  const { turnId } = await sessions.sendPrompt(sessionId, prompt);
  return sessions.waitForTurn(sessionId, turnId);
}

const indexOf = ({ event }: ClaudeStreamEvent): unknown =>
  event.kind === 'message' ? event.message['index'] : undefined;

describe('a listener of Claude Code’s messages', () => {
  it('that stalls makes its agent wait, and no other', async () => {
    const [reached, released, heardAll] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const heard: unknown[] = [];
    let stalledSession: string | null = null;
    await using stage = await emitterStage(async (event) => {
      const index = indexOf(event);
      if (event.sessionId !== stalledSession || index === undefined) return;
      heard.push(index);
      if (index === 7999) heardAll!.resolve();
      if (index !== 10) return;
      reached!.resolve();
      await released!.promise;
    });
    const [stalled, other] = [await stage.open(), await stage.open()];
    stalledSession = stalled.sessionId;
    const turn = ask(stage.sessions, stalled.sessionId, 'emit 8000 1000');
    await reached!.promise;
    // Another session says as much meanwhile.
    expect((await ask(stage.sessions, other.sessionId, 'emit 8000 1000')).text).toBe('8000 emitted');
    expect((await stage.sessions.get(stalled.sessionId))!.output.end).toBeLessThan(MIB);
    await expect(access(join(stalled.folder, 'through'))).rejects.toThrow('ENOENT');
    expect(heard).toHaveLength(11);
    released!.resolve();
    expect(await turn).toMatchObject({ text: '8000 emitted', state: { outcome: 'completed' } });
    await heardAll!.promise;
    expect(heard).toEqual(Array.from({ length: 8000 }, (_, index) => index));
    expect((await stage.sessions.get(stalled.sessionId))!.output.end).toBeGreaterThan(8_000_000);
  });

  it('that is slow costs no memory', async () => {
    let most = 0;
    let before = 0;
    await using stage = await emitterStage(async () => {
      // What could be freed is not held; when it is freed is the engine's affair.
      if (memoryUsed() - before > 64 * MIB) collectGarbage();
      most = Math.max(most, memoryUsed());
      await nextRound();
    });
    const { sessionId } = await stage.open();
    before = memoryUsed();
    expect((await ask(stage.sessions, sessionId, 'emit 2000 65536')).text).toBe('2000 emitted');
    expect(most - before).toBeLessThan(64 * MIB);
  });

  it('that never comes back does not keep its session from ending', async () => {
    const reached = Promise.withResolvers<void>();
    await using stage = await emitterStage((event) => {
      if (indexOf(event) !== 10) return undefined;
      reached.resolve();
      return new Promise<void>(() => undefined);
    });
    const { sessionId } = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(sessionId, 'emit 8000 1000');
    await reached.promise;
    await stage.sessions.terminate(sessionId, { graceMs: 100 });
    expect((await stage.sessions.get(sessionId))?.status).toBe('terminated');
    expect((await stage.sessions.getTurn(sessionId, turnId))?.state).toMatchObject({ outcome: 'cancelled' });
  });

  it('that fails loses nothing for the session', async () => {
    let calls = 0;
    await using stage = await emitterStage((event) => {
      calls += 1;
      if (calls % 2 === 0) throw new Error(`The listener of ${event.sessionId} failed.`);
      return Promise.reject(new Error('Later.'));
    });
    const { sessionId } = await stage.open();
    expect((await ask(stage.sessions, sessionId, 'emit 20 10')).text).toBe('20 emitted');
  });
});
