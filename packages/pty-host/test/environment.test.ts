import { writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { commandStage } from './agent/command/command-stage.ts';
import { agentEnvironment } from '../src/environment.ts';
import { createPtySessionManager } from '../src/index.ts';

const PATH = process.env['PATH'] ?? '';

/** A host with all that an agent must not see, and some that it may. */
const HOST = {
  PATH,
  LANG: 'C.UTF-8',
  LC_TIME: 'C',
  TZ: 'UTC',
  USER: 'someone',
  HTTPS_PROXY: 'http://proxy.example:8080',
  NO_PROXY: 'intranet.example, 127.0.0.1',
  CLAUDECODE: '1',
  CLAUDE_CODE_SESSION_ID: 'of another',
  CLAUDE_CODE_ENTRYPOINT: 'cli',
  CLAUDE_CONFIG_DIR: '/somewhere',
  AWS_SECRET_ACCESS_KEY: 'secret',
  GITHUB_TOKEN: 'secret',
  GIT_DIR: '/elsewhere/.git',
  NODE_OPTIONS: '--no-warnings',
  TMUX: 'yes',
  SSH_AUTH_SOCK: '/agent',
  TO_PASS: 'passed',
};
/** What a shell between us and the agent sets by itself. */
const SHELLS_OWN = ['PWD', 'SHLVL', '_'];

/** All that Claude Code gets on that host. */
const CLAUDES = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_MODEL',
  'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC',
  'CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL',
  'CLAUDE_CODE_TMPDIR',
  'CLAUDE_CONFIG_DIR',
  'DISABLE_AUTOUPDATER',
  'HOME',
  'HTTPS_PROXY',
  'LANG',
  'LC_TIME',
  'NO_PROXY',
  'PATH',
  'SEMO_SESSION_ID',
  'TERM',
  'TZ',
  'USER',
  'no_proxy',
];

const environment = { pass: ['TO_PASS', 'NOT_THERE'], set: { GIVEN: 'given', TZ: 'Asia/Seoul' } };

describe('the environment of an agent', () => {
  const spec = { sessionId: newId('ses'), environment };

  it('has named variables only', () => {
    const env = agentEnvironment({ spec, hostEnv: HOST, privateHome: '/private', over: 'terminal' });
    expect(env).toEqual({
      PATH,
      LANG: 'C.UTF-8',
      LC_TIME: 'C',
      USER: 'someone',
      HTTPS_PROXY: HOST.HTTPS_PROXY,
      NO_PROXY: 'intranet.example,127.0.0.1,localhost,::1',
      no_proxy: 'intranet.example,127.0.0.1,localhost,::1',
      HOME: '/private',
      TERM: 'xterm-256color',
      TO_PASS: 'passed',
      GIVEN: 'given',
      TZ: 'Asia/Seoul',
      SEMO_SESSION_ID: spec.sessionId,
    });
  });

  it('has what it cannot do without, also where the host has nothing', () => {
    const nothing = { sessionId: spec.sessionId, environment: { pass: [], set: {} } };
    const env = agentEnvironment({ spec: nothing, hostEnv: {}, privateHome: null, over: 'pipe' });
    expect(Object.keys(env).toSorted()).toEqual(['LANG', 'NO_PROXY', 'PATH', 'SEMO_SESSION_ID', 'TERM', 'no_proxy']);
    expect(env['TERM']).toBe('dumb');
  });

  it.each(['terminal', 'pipe'] as const)('is what really reaches it, over a %s', async (over) => {
    await using stage = await commandStage({ hostEnv: { ...HOST, HOME: '/home/of-host' } });
    const id = await stage.open(
      [process.execPath, '-e', 'process.stdin.on("data", () => console.log(JSON.stringify(process.env) + "."))'],
      { over, environment, size: { cols: 1000, rows: 40 } },
    );
    const turn = stage.ask(id, 'x', { silenceMs: 200 });
    await turn;
    const output = await stage.sessions.getOutput(id, { as: 'text' });
    const text = output.as === 'text' ? output.text : '';
    const env = JSON.parse(text.slice(text.indexOf('{'), text.indexOf('}.') + 1).replaceAll('\n', '')) as Record<
      string,
      string
    >;
    const wanted = agentEnvironment({
      spec: { sessionId: id, environment },
      hostEnv: { ...HOST, HOME: '/home/of-host' },
      privateHome: null,
      over,
    });
    const own = ['SEMO_DONE_MARKER', 'TMPDIR'];
    expect(
      Object.keys(env)
        .filter((name) => !SHELLS_OWN.includes(name))
        .toSorted(),
    ).toEqual([...Object.keys(wanted), ...own].toSorted());
    expect(env).toMatchObject(wanted);
  });

  it('of Claude Code has exactly one credential and nothing of an enclosing agent', async () => {
    await using work = await temporaryFolder('semo-work-');
    await using state = await temporaryFolder('semo-state-');
    const binary = join(work.path, 'claude');
    const script = `if [ "$1" = --version ]; then echo "2.1.329 (Claude Code)"; exit; fi\nenv > env.txt; printf '❯ '\nwhile read -r line; do case $line in */exit) exit ;; esac; done`;
    await writeFile(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const credentials = { ANTHROPIC_API_KEY: 'key', CLAUDE_CODE_OAUTH_TOKEN: 'token', ANTHROPIC_AUTH_TOKEN: 'other' };
    const hostEnv = {
      ...HOST,
      ...credentials,
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
      ANTHROPIC_MODEL: 'model',
      SEMO_CLAUDE_BIN: binary,
    };
    const sessions = createPtySessionManager({ stateDir: state.path, hostEnv });
    const sessionId = newId('ses');
    await sessions.create({
      sessionId,
      agent: { kind: 'claude' },
      workspace: { kind: 'path', path: work.path },
      home: 'private',
      environment: { pass: ['ANTHROPIC_AUTH_TOKEN'] },
    });
    const names = (await readFile(join(work.path, 'env.txt'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.slice(0, line.indexOf('=')));
    await sessions.close();
    expect(names.filter((name) => name in credentials)).toEqual(['ANTHROPIC_API_KEY']);
    expect(names.filter((name) => !SHELLS_OWN.includes(name)).toSorted()).toEqual(CLAUDES.toSorted());
  });
});
