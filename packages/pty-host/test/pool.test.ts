import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  createPoolManager,
  poolKey,
  type PoolManager,
  type SessionManager,
  type SessionTemplate,
} from '@semo-office/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../src/pty-session-manager.ts';

let folder: string;
let sessions: SessionManager;
let pool: PoolManager | null = null;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'semo-pool-')));
  sessions = createPtySessionManager({ stateDir: join(folder, 'state'), allowedRoots: [folder] });
});

afterEach(async () => {
  await pool?.close();
  const left = await sessions.list({ status: ['creating', 'ready', 'executing'] });
  if (left.length > 0) throw new Error(`The pool has left ${left.length} sessions.`);
  await sessions.close();
  rmSync(folder, { recursive: true, force: true });
});

async function say(sessionId: string, text: string): Promise<string> {
  const { turnId } = await sessions.sendPrompt(sessionId, `echo ${text}`);
  const { state } = await sessions.waitForTurn(sessionId, turnId);
  return state.kind === 'ended' ? state.outcome : state.kind;
}

describe('a pool of real terminals', () => {
  it('keeps a shell warm, gives it out, and replaces it', async () => {
    const template: SessionTemplate = { agent: { kind: 'shell' }, workspace: { kind: 'path', path: folder } };
    const key = poolKey(template);
    pool = createPoolManager({ sessions, max: 2, targets: [{ role: 'FE', count: 1, key, template }] });
    await pool.initializeWarmPool();
    const request = { key, role: 'FE', template };
    const warm = await pool.acquire(request);
    const cold = await pool.acquire(request);
    expect([warm.source, cold.source]).toEqual(['warm', 'cold']);
    expect(await say(warm.session.sessionId, 'one')).toBe('completed');
    const next = pool.acquire(request);
    await pool.release(warm.session.sessionId, { kind: 'reusable' });
    expect(await say((await next).session.sessionId, 'two')).toBe('completed');
    await pool.release(cold.session.sessionId, { kind: 'reusable' });
    await pool.settled();
    expect(await sessions.get(warm.session.sessionId)).toMatchObject({ status: 'terminated' });
    expect(pool.getPoolStatus()).toMatchObject({ warmIdle: 1, inUse: 1, totals: { recycled: 2, failed: 0 } });
  });

  it('misses a warm shell that was killed', async () => {
    const template: SessionTemplate = { agent: { kind: 'shell' }, workspace: { kind: 'path', path: folder } };
    const key = poolKey(template);
    pool = createPoolManager({ sessions, targets: [{ role: 'FE', count: 1, key, template }] });
    await pool.initializeWarmPool();
    const [info] = await sessions.list({ status: ['ready'] });
    const lost = new Promise((resolve) => {
      pool?.on('fault', resolve);
    });
    process.kill(Number(info?.terminalId), 'SIGKILL');
    expect(await lost).toMatchObject({ kind: 'session_lost', sessionId: info?.sessionId, retryInMs: 1000 });
    expect(await pool.acquire({ key, role: 'FE', template })).toMatchObject({ source: 'cold' });
  });
});
