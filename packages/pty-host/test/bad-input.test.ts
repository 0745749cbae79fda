import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type ErrorCode, type SessionManager, type SessionSpec } from '@semo-office/core';
import { expectError } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../src/index.ts';
import { printed } from './prompted-program.ts';

type Spec = Omit<SessionSpec, 'sessionId'>;

// Without what npm adds, in which there is a Claude Code.
const PATH = '/usr/local/bin:/usr/bin:/bin';
const cat = { kind: 'command', command: ['cat'] } as const;
let sessions: SessionManager;
let root: string;
let state: string;
let home: string;
let cleanUp: () => Promise<void>;

async function fakeClaude(name: string, script: string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

/** Sessions on a host where Claude Code is this program. */
async function withClaude<Result>(
  binary: string,
  act: (host: SessionManager) => Promise<Result>,
  more: Record<string, string> = {},
): Promise<Result> {
  const host = createPtySessionManager({
    stateDir: state,
    claude: { binary },
    hostEnv: { PATH, HOME: home, ...more },
  });
  try {
    return await act(host);
  } finally {
    await host.close();
  }
}

beforeAll(async () => {
  const roots = [await temporaryFolder('semo-work-'), await temporaryFolder('semo-state-')] as const;
  [root, state] = [roots[0].path, roots[1].path];
  sessions = createPtySessionManager({
    stateDir: state,
    allowedRoots: [join(root, 'allowed')],
    hostEnv: { PATH, HOME: root },
  });
  home = join(root, 'home');
  for (const name of ['allowed', 'home']) await mkdir(join(root, name));
  await mkdir(join(root, 'forbidden'));
  await writeFile(join(root, 'allowed', 'file'), '');
  cleanUp = async () => {
    await sessions.close();
    for (const folder of roots) await folder[Symbol.asyncDispose]();
  };
});
afterAll(() => cleanUp());

const at = (...path: string[]): Spec['workspace'] => ({ kind: 'path', path: join(root, ...path) });
const persona = { name: 'Bea', role: 'BE', prompt: 'You write the back end.' };

describe('bad input is refused with a sentence that says what to do', () => {
  const table: { name: string; code: ErrorCode; says: RegExp; spec: () => Spec }[] = [
    {
      name: 'a spec that is none',
      code: 'invalid_argument',
      says: /session/,
      spec: () => ({ ...good(), home: 'nowhere' }) as unknown as Spec,
    },
    {
      name: 'an unknown agent',
      code: 'invalid_argument',
      says: /agent/,
      spec: () => ({ ...good(), agent: { kind: 'no-such' } }) as unknown as Spec,
    },
    {
      name: 'a program that is missing',
      code: 'agent_not_found',
      says: /"no-such-program" was not found.*PATH/,
      spec: () => ({ ...good(), agent: { kind: 'command', command: ['no-such-program'] } }),
    },
    {
      name: 'Claude Code that is missing',
      code: 'agent_not_found',
      says: /npm install|SEMO_CLAUDE_BIN/,
      spec: () => ({ ...good(), agent: { kind: 'claude' } }),
    },
    {
      name: 'a folder that is missing',
      code: 'workspace_not_found',
      says: /missing/,
      spec: () => ({ ...good(), workspace: at('allowed', 'missing') }),
    },
    {
      name: 'a folder that is a file',
      code: 'workspace_not_directory',
      says: /file/,
      spec: () => ({ ...good(), workspace: at('allowed', 'file') }),
    },
    {
      name: 'a folder outside the allowed roots',
      code: 'workspace_forbidden',
      says: /forbidden/,
      spec: () => ({ ...good(), workspace: at('forbidden') }),
    },
    {
      name: 'a way out of the allowed roots',
      code: 'workspace_forbidden',
      says: /forbidden/,
      spec: () => ({ ...good(), workspace: at('allowed', '..', 'forbidden') }),
    },
    {
      name: 'a repository nobody knows',
      code: 'repository_unknown',
      says: /no repository "app"/,
      spec: () => ({ ...good(), workspace: { kind: 'git', repoId: 'app', branch: 'b' } }),
    },
    {
      name: 'a persona with a bad glob',
      code: 'invalid_argument',
      says: /scopePatterns/,
      spec: () => ({ ...good(), persona: { ...persona, scopePatterns: ['src/[a-'] } }),
    },
    {
      name: 'a variable that is none',
      code: 'invalid_argument',
      says: /variable/i,
      spec: () => ({ ...good(), environment: { pass: ['A-B'] } }),
    },
  ];
  const good = (): Spec => ({ agent: cat, workspace: at('allowed') });

  it.each(table)('$name', async ({ code, says, spec }) => {
    const sessionId = newId('ses');
    const error = await expectError(sessions.create({ sessionId, ...spec() }), code);
    expect(error.message).toMatch(says);
    expect(await sessions.get(sessionId)).toBeNull();
  });

  it('a version of Claude Code that is not supported', async () => {
    const binary = await fakeClaude('old', 'echo "1.0.0 (Claude Code)"');
    const create = (host: SessionManager) =>
      host.create({ sessionId: newId('ses'), agent: { kind: 'claude' }, workspace: at('allowed') });
    const error = await expectError(
      withClaude(binary, create, { ANTHROPIC_API_KEY: 'key' }),
      'agent_version_unsupported',
    );
    expect(error.message).toMatch(/1\.0\.0 is not supported.*2\.1\.197 or later.*SEMO_CLAUDE_BIN/);
  });

  it('nobody signed in', async () => {
    const binary = await fakeClaude('new', 'echo "2.1.329 (Claude Code)"');
    const create = (host: SessionManager) =>
      host.create({ sessionId: newId('ses'), agent: { kind: 'claude' }, workspace: at('allowed') });
    expect((await expectError(withClaude(binary, create), 'not_signed_in')).message).toContain('claude setup-token');
  });

  it('a login that another session uses', async () => {
    const script = `case "$1" in --version) echo "2.1.329 (Claude Code)";; *) printf '❯ '; read -r line;; esac`;
    const binary = await fakeClaude('logged-in', script);
    await mkdir(join(home, '.claude'));
    const trusted = { projects: { [root]: { hasTrustDialogAccepted: true } } };
    await writeFile(join(home, '.claude.json'), JSON.stringify(trusted));
    const spec = () => ({
      sessionId: newId('ses'),
      agent: { kind: 'claude' as const, useLogin: true },
      workspace: at('allowed'),
    });
    await withClaude(binary, async (host) => {
      const { sessionId } = await host.create(spec());
      await expectError(host.create(spec()), 'login_in_use');
      await host.terminate(sessionId);
      expect((await host.create(spec())).status).toBe('ready');
    });
    expect(await readdir(join(home, '.claude'))).toEqual([]);
  });

  it('a model that would be read as an option', async () => {
    const binary = await fakeClaude('new', 'echo "2.1.329 (Claude Code)"');
    const agent = { kind: 'claude', model: '--dangerously-skip-permissions' } as const;
    const create = (host: SessionManager) => host.create({ sessionId: newId('ses'), agent, workspace: at('allowed') });
    await expectError(withClaude(binary, create, { ANTHROPIC_API_KEY: 'key' }), 'invalid_argument');
  });

  it('an agent that ends before it is ready, with what it said last', async () => {
    const binary = await fakeClaude(
      'broken',
      'if [ "$1" = --version ]; then echo "2.1.329 (Claude Code)"; else echo "the disk is full"; fi',
    );
    const sessionId = newId('ses');
    const create = (host: SessionManager) =>
      host.create({ sessionId, agent: { kind: 'claude' }, workspace: at('allowed') });
    const error = await expectError(withClaude(binary, create, { ANTHROPIC_API_KEY: 'key' }), 'agent_start_failed');
    expect(error.message).toMatch(/input box.*the disk is full/s);
  });

  it('a start that is given up', async () => {
    const binary = await fakeClaude(
      'slow',
      'if [ "$1" = --version ]; then echo "2.1.329 (Claude Code)"; else sleep 60; fi',
    );
    const giveUp = new AbortController();
    const create = async (host: SessionManager) => {
      host.on('status', ({ status }) => {
        if (status === 'creating') setImmediate(() => giveUp.abort());
      });
      return host.create(
        { sessionId: newId('ses'), agent: { kind: 'claude' }, workspace: at('allowed') },
        { signal: giveUp.signal },
      );
    };
    await expect(withClaude(binary, create, { ANTHROPIC_API_KEY: 'key' })).rejects.toMatchObject({
      code: expect.stringMatching(/^(aborted|agent_start_failed)$/) as string,
    });
  });

  it('ids and offsets', async () => {
    const sessionId = newId('ses');
    const script = 'console.log("x".repeat(20000) + "all out"); process.stdin.resume()';
    await sessions.create({
      sessionId,
      agent: { kind: 'command', command: [process.execPath, '-e', script] },
      workspace: at('allowed'),
      maxOutputBytes: 4096,
    });
    await printed(sessions, sessionId, 'all out');
    const dropped = await expectError(sessions.getOutput(sessionId, { from: 0 }), 'output_dropped');
    const { start, end } = dropped.details as { start: number; end: number };
    expect(dropped.message).toContain(String(start));
    expect(end - start).toBe(4096);
    const beyond = await expectError(sessions.getOutput(sessionId, { from: end + 1 }), 'output_beyond_end');
    expect(beyond.message).toContain(String(end));
    await expectError(sessions.getOutput(sessionId, { from: -1 }), 'invalid_argument');
    await expectError(sessions.getOutput('ses_unheard_of'), 'session_unknown');
    await expectError(sessions.getOutput('../..'), 'session_unknown');
    await expectError(sessions.sendText(sessionId, 5 as unknown as string), 'invalid_argument');
    await sessions.terminate(sessionId, { graceMs: 0 });
    await expectError(sessions.sendText(sessionId, 'x'), 'session_terminated');
  });

  it('anything at all once it is closed', async () => {
    const host = createPtySessionManager({ stateDir: state });
    await host.close();
    await expectError(host.create({ sessionId: newId('ses'), agent: cat, workspace: at('allowed') }), 'closed');
    await expectError(host.getOutput('ses_1'), 'closed');
  });
});
