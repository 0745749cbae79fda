import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claudeBinary, say, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { canaryFault, runCanary, type CanaryOptions } from '../../../../src/agent/claude/guard/canary.ts';
import { hookSettings } from '../../../../src/agent/claude/hooks/hook-settings.ts';
import { ClaudeProofs } from '../../../../src/agent/claude/guard/proofs.ts';
import { claudeStage } from '../claude-stage.ts';

const [INSIDE, OUTSIDE, BROKEN] = ['inside/allowed.txt', 'outside.txt', 'inside/broken.txt'];
const ENV = {
  PATH: process.env['PATH'] ?? '',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
};
const GUARDED: CanaryOptions['settings'] = (endpoint) => hookSettings(endpoint, { turns: false, guard: true });

/** Settings whose guard has been changed. */
const altered =
  (change: object): CanaryOptions['settings'] =>
  (endpoint) => {
    const text = JSON.stringify(GUARDED(endpoint), (key, value: unknown) => (key === 'onFailure' ? undefined : value));
    return { ...(JSON.parse(text) as object), ...change };
  };

async function canary(more: Partial<CanaryOptions> = {}) {
  await using folder = await temporaryFolder('semo-canary-');
  const options = { binary: claudeBinary(), version: '2.1', settings: GUARDED, env: ENV, folder: folder.path, ...more };
  const failure: unknown = await runCanary(options).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { failure, left: await readdir(folder.path) };
}

describe('the canary of a guard', () => {
  it('lives where the guard holds, and leaves nothing', async () => {
    expect(await canary()).toEqual({ failure: null, left: [] });
    const everything: CanaryOptions['settings'] = (endpoint) => hookSettings(endpoint, { turns: true, guard: true });
    expect(await canary({ settings: everything })).toEqual({ failure: null, left: [] });
  });

  it.each<{ why: string; settings: CanaryOptions['settings']; says: RegExp }>([
    { why: 'fails open', settings: altered({}), says: /when our guard cannot be asked/ },
    { why: 'is not there', settings: () => ({}), says: /changed a file outside the scope/ },
    { why: 'is in settings that are ignored', settings: altered({ fastMode: 'yes' }), says: /changed a file outside/ },
    {
      why: 'is in settings that turn hooks off',
      settings: altered({ disableAllHooks: true }),
      says: /outside the scope/,
    },
  ])('dies where the guard $why', async ({ settings, says }) => {
    const { failure, left } = await canary({ settings });
    expect(failure).toMatchObject({ code: 'guard_failed', message: expect.stringMatching(says) as unknown });
    expect(left).toEqual([]);
  });

  it('dies with an agent that does not run', async () => {
    await using folder = await temporaryFolder('semo-binary-');
    const binary = join(folder.path, 'claude');
    await writeFile(binary, '#!/bin/sh\necho "no such luck" >&2\nexit 3\n', { mode: 0o755 });
    const { failure } = await canary({ binary });
    expect(failure).toMatchObject({
      code: 'guard_failed',
      message: expect.stringContaining('no such luck') as unknown,
    });
  });

  it.each([
    { written: [INSIDE], asked: [INSIDE, OUTSIDE, BROKEN], fault: null },
    { written: [INSIDE], asked: [INSIDE, OUTSIDE], fault: /could not be proven/ },
    { written: [], asked: [INSIDE, OUTSIDE, BROKEN], fault: /could not be proven/ },
    { written: [INSIDE, OUTSIDE], asked: [INSIDE, OUTSIDE, BROKEN], fault: /outside the scope/ },
    { written: [INSIDE, BROKEN], asked: [INSIDE, OUTSIDE, BROKEN], fault: /cannot be asked/ },
  ])('judges %j', ({ written, asked, fault }) => {
    const found = canaryFault({ written, asked, complaint: null }, '2.1');
    expect(found ?? 'none').toMatch(fault ?? /^none$/);
  });
});

describe('proofs', () => {
  const options = { binary: '/bin/a', version: '1', settings: GUARDED, env: { A: '1' }, folder: '/tmp' };

  it('are shared by sessions that differ in nothing that matters, and tried again after a failure', async () => {
    const runs: CanaryOptions[] = [];
    let fails = true;
    const proofs = new ClaudeProofs(async (run) => {
      runs.push(run);
      if (fails) throw new Error('no');
    });
    const both = await Promise.allSettled([
      proofs.prove(options),
      proofs.prove({ ...options, folder: '/var', env: { A: '1', SEMO_SESSION_ID: 'ses', ANTHROPIC_API_KEY: 'other' } }),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(runs).toHaveLength(1);
    fails = false;
    await proofs.prove(options);
    await proofs.prove(options);
    expect(runs).toHaveLength(2);
    for (const other of [{ version: '2' }, { binary: '/bin/b' }, { env: { A: '2' } }, { settings: altered({}) }]) {
      await proofs.prove({ ...options, ...other });
    }
    expect(runs).toHaveLength(6);
  });
});

describe.each(['claude', 'claude-stream'] as const)('a session of %s with a scope', (kind) => {
  it('is not started where the guard does not hold', async () => {
    await using stage = await claudeStage(() => say('Hello.'), { kind });
    const persona = { name: 'Mina', role: 'FE', prompt: 'p', scopePatterns: ['src/**'] };
    // Without its extras Claude Code runs no hooks at all.
    const environment = { set: { CLAUDE_CODE_SIMPLE: '1' } };
    await expect(stage.sessions.create(stage.spec({ persona, environment }))).rejects.toMatchObject({
      code: 'guard_failed',
      class: 'permission',
    });
    expect(await stage.sessions.list()).toEqual([]);
    const id = await stage.open({ environment: { set: {} }, persona });
    expect((await stage.ask(id, 'Hello?')).text).toBe('Hello.');
  });
});
