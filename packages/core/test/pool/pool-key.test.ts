import { describe, expect, it } from 'vitest';

import { memoryAdmission, poolKey, type SessionTemplate } from '../../src/index.ts';

const template: SessionTemplate = {
  agent: { kind: 'claude', model: 'sonnet' },
  workspace: { kind: 'git', repoId: 'shop', branch: 'one' },
  persona: { name: 'Mina', role: 'FE', prompt: 'Small steps.' },
  environment: { pass: ['TOKEN', 'LANG'], set: { MODE: 'test', LEVEL: '1' } },
};

describe('the key of a pool', () => {
  it('is 16 digits and the same on every machine', () => {
    expect(poolKey(template)).toMatch(/^[0-9a-f]{16}$/);
    expect(poolKey({ agent: { kind: 'shell' }, workspace: { kind: 'path', path: '/w' } })).toBe('5fccf231db8e2a50');
  });

  it.each<[string, Partial<SessionTemplate>]>([
    ['the branch', { workspace: { kind: 'git', repoId: 'shop', branch: 'two' } }],
    [
      'task and role of the folder',
      { workspace: { kind: 'git', repoId: 'shop', branch: 'b', taskId: 't', role: 'R' } },
    ],
    ['what keeps the worktree', { workspace: { kind: 'git', repoId: 'shop', branch: 'one', retain: 'changed' } }],
    ['who the agent is', { agentId: 'FE-2' }],
    ['the size of the terminal', { size: { cols: 80, rows: 24 } }],
    ['a rendered screen', { screen: true }],
    [
      'a default that is named',
      { agent: { kind: 'claude', model: 'sonnet', permissionMode: 'default' }, home: 'user' },
    ],
    ['the order of variables', { environment: { pass: ['LANG', 'TOKEN', 'LANG'], set: { LEVEL: '1', MODE: 'test' } } }],
  ])('does not depend on %s', (_, change) => {
    expect(poolKey({ ...template, ...change })).toBe(poolKey(template));
  });

  it.each<[string, Partial<SessionTemplate>]>([
    ['the driver', { agent: { kind: 'claude-stream', model: 'sonnet' } }],
    ['the model', { agent: { kind: 'claude', model: 'opus' } }],
    ['the permission mode', { agent: { kind: 'claude', model: 'sonnet', permissionMode: 'plan' } }],
    ['the repository', { workspace: { kind: 'git', repoId: 'blog', branch: 'one' } }],
    ['what branches start from', { workspace: { kind: 'git', repoId: 'shop', branch: 'one', base: 'next' } }],
    ['the folder', { workspace: { kind: 'path', path: '/shop' } }],
    ['the persona', { persona: { name: 'Mina', role: 'FE', prompt: 'Big steps.' } }],
    ['having a persona', { persona: undefined }],
    ['the names of variables', { environment: { pass: ['TOKEN'], set: { MODE: 'test', LEVEL: '1' } } }],
    ['the values of variables', { environment: { pass: ['TOKEN', 'LANG'], set: { MODE: 'live', LEVEL: '1' } } }],
    ['the home', { home: 'private' }],
    ['how much output is kept', { maxOutputBytes: 8192 }],
    ['how it is contained', { containment: { level: 'process_group' } }],
    ['the limits of its life', { limits: { maxTurns: 3 } }],
    ['the kind of terminal', { terminal: 'tmux' }],
  ])('depends on %s', (_, change) => {
    expect(poolKey({ ...template, ...change })).not.toBe(poolKey(template));
  });

  it('depends on the agent’s version and on the credential, where they are told', () => {
    const keys = [{}, { agentVersion: '1' }, { agentVersion: '2' }, { credentialId: 'a' }, { credentialId: 'b' }];
    expect(new Set(keys.map((extra) => poolKey(template, extra))).size).toBe(5);
  });

  it('is refused for what is no template', () => {
    expect(() => poolKey({ ...template, agent: { kind: 'odd' } as never })).toThrow(/session template is not valid/);
  });
});

describe('admission by memory', () => {
  const GIB = 1024 ** 3;
  const perSessionBytes = (role: string): number => (role === 'big' ? 2 * GIB : GIB / 2);
  const freeBytes = async (): Promise<number> => 2 * GIB;

  it('counts those that are being opened', async () => {
    const memory = memoryAdmission({ freeBytes, perSessionBytes });
    expect(await memory.admit({ role: 'FE', openings: 1 })).toEqual({ kind: 'ok' });
    expect(await memory.admit({ role: 'FE', openings: 2 })).toEqual({ kind: 'wait', retryAfterMs: 1000 });
    expect(await memory.admit({ role: 'big', openings: 0 })).toEqual({ kind: 'wait', retryAfterMs: 1000 });
  });

  it('has a floor of its own choosing, and refuses what can never fit', async () => {
    const sizes = { freeBytes, perSessionBytes, floorBytes: 0, totalBytes: 1.5 * GIB, retryAfterMs: 7 };
    const memory = memoryAdmission(sizes);
    expect(await memory.admit({ role: 'FE', openings: 3 })).toEqual({ kind: 'ok' });
    expect(await memory.admit({ role: 'FE', openings: 4 })).toEqual({ kind: 'wait', retryAfterMs: 7 });
    expect(await memory.admit({ role: 'big', openings: 0 })).toMatchObject({ kind: 'refuse' });
  });
});
