import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionEventName, SessionManager } from '@semo-office/core';
import { failWith, say, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createTokenKeeper, type FreshToken } from '../../../src/index.ts';
import { claudeStage } from './claude-stage.ts';

const HOUR = 3_600_000;
const tokenOf = (call: number) => `tok_of_a_test_${call}_8f3a1c`;

function keeperOf(lifeMs: number) {
  const given: FreshToken[] = [];
  const keeper = createTokenKeeper({
    name: 'team',
    refresh: () => {
      given.push({ token: tokenOf(given.length + 1), expiresAt: Date.now() + lifeMs });
      return given.at(-1)!;
    },
  });
  return { keeper, given };
}

const TOLD: readonly SessionEventName[] = ['status', 'output', 'turn', 'request', 'request_settled', 'exit'];

/** All that a manager tells of its sessions, as text. */
function listenTo(sessions: SessionManager, names: readonly SessionEventName[] = TOLD): () => string {
  const told: string[] = [];
  for (const name of names) {
    sessions.on(name, (event) => {
      const output = 'bytes' in event ? Buffer.from(event.bytes).toString('utf8') : '';
      told.push(output, JSON.stringify(event));
    });
  }
  return () => told.join('\n');
}

/** The files below a folder that hold `text`; none where the last session took the folder with it. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const held = await Promise.all(
    files.map(async (file) => (await readFile(file).catch(() => Buffer.of())).includes(text)),
  );
  return files.filter((_, index) => held[index]);
}

const bearers = ({ model }: Awaited<ReturnType<typeof claudeStage>>) =>
  model.requests.map(({ headers }) => headers['authorization']);

for (const kind of ['claude', 'claude-stream'] as const) {
  describe(`a token of ${kind}`, () => {
    it('reaches the model, and nothing else', async () => {
      const { keeper, given } = keeperOf(HOUR);
      const script = [useTool('Bash', { command: 'env; cat /proc/$PPID/comm', description: 'Look' }), say('Done.')];
      await using stage = await claudeStage(script, { kind, claude: { tokenProvider: keeper.provider } });
      const told = listenTo(stage.sessions);
      const sessionId = await stage.open();
      const turn = await stage.ask(sessionId, 'Look around.');
      expect(turn.text).toBe('Done.');
      expect(new Set(bearers(stage))).toEqual(new Set([`Bearer ${tokenOf(1)}`]));
      const info = await stage.sessions.get(sessionId);
      expect(info?.credentialExpiresAt).toBe(given[0]?.expiresAt);
      const screen = await stage.sessions.getOutput(sessionId, { as: 'text' });
      expect(told() + JSON.stringify([info, turn, screen])).not.toContain(tokenOf(1));
      // The search itself finds what is there.
      expect(await filesWith(stage.stateDir, 'Look around.')).not.toEqual([]);
      expect(await filesWith(stage.stateDir, tokenOf(1))).toEqual([]);
      expect(await filesWith(stage.folder, tokenOf(1))).toEqual([]);
      await stage.sessions.terminate(sessionId);
      expect(await filesWith(stage.stateDir, tokenOf(1))).toEqual([]);
    }, 30_000);

    it('is taken out of what the model’s API says of it', async () => {
      const { keeper } = keeperOf(HOUR);
      const refused = failWith(401, 'authentication_error', { message: `Unknown token ${tokenOf(1)}` });
      await using stage = await claudeStage(() => refused, { kind, claude: { tokenProvider: keeper.provider } });
      const told = listenTo(stage.sessions, ['turn', 'status', 'request']);
      const turn = await stage.ask(await stage.open(), 'Hello.');
      expect(turn.state).toMatchObject({ outcome: 'failed', error: { code: 'sign_in_refused', class: 'auth' } });
      expect(JSON.stringify(turn)).toContain('Unknown token [redacted]');
      expect(told() + JSON.stringify(turn)).not.toContain(tokenOf(1));
    }, 30_000);

    it('is one for all sessions', async () => {
      const { keeper, given } = keeperOf(HOUR);
      await using stage = await claudeStage(() => say('Hi.'), { kind, claude: { tokenProvider: keeper.provider } });
      const opened = await Promise.all([stage.open(), stage.open(), stage.open()]);
      expect(opened).toHaveLength(3);
      expect(given).toHaveLength(1);
    }, 30_000);
  });
}

describe('a token that is about to expire', () => {
  it('is replaced in a session in stream mode that goes on', async () => {
    const { keeper, given } = keeperOf(4 * 60_000);
    await using stage = await claudeStage(() => say('Hi.'), {
      kind: 'claude-stream',
      claude: { tokenProvider: keeper.provider },
    });
    const sessionId = await stage.open();
    await stage.ask(sessionId, 'One.');
    // The keeper thinks it good for two minutes more: nothing is replaced by itself.
    await stage.ask(sessionId, 'Two.');
    keeper.forget();
    await stage.ask(sessionId, 'Three.');
    expect(bearers(stage)).toEqual([1, 1, 2].map((call) => `Bearer ${tokenOf(call)}`));
    expect((await stage.sessions.get(sessionId))?.credentialExpiresAt).toBe(given[1]?.expiresAt);
    expect(await filesWith(stage.stateDir, tokenOf(2))).toEqual([]);
  }, 30_000);

  it('is kept by a terminal, which says when it expires', async () => {
    const { keeper, given } = keeperOf(4 * 60_000);
    await using stage = await claudeStage(() => say('Hi.'), { claude: { tokenProvider: keeper.provider } });
    const sessionId = await stage.open();
    keeper.forget();
    await stage.ask(sessionId, 'One.');
    expect(new Set(bearers(stage))).toEqual(new Set([`Bearer ${tokenOf(1)}`]));
    expect((await stage.sessions.get(sessionId))?.credentialExpiresAt).toBe(given[0]?.expiresAt);
  }, 30_000);
});

describe('a token that cannot be had', () => {
  it('keeps a session from being opened, without a trace', async () => {
    const keeper = createTokenKeeper({
      name: 'team',
      retries: 0,
      refresh: () => {
        throw new Error('503 from https://user:pass-word@auth.example');
      },
    });
    await using stage = await claudeStage(() => say('Hi.'), { claude: { tokenProvider: keeper.provider } });
    const error = await stage.open().then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'sign_in_refused', class: 'auth' });
    expect(error?.message).not.toContain('pass-word');
    expect(await stage.sessions.list()).toEqual([]);
  });
});
