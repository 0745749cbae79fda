import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type SessionSpec } from '@semo-office/core';
import { optionalTool, temporaryFolder } from '@semo-office/testbed';
import { expect, it, onTestFinished } from 'vitest';

import { createPtySessionManager, type PtySessionManagerOptions } from '../src/index.ts';
import { programAgent } from './prompted-program.ts';
import { askTmux } from './terminal/tmux/tmux-stage.ts';

const tmux = optionalTool('tmux');

async function stage(options: PtySessionManagerOptions = {}) {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const sessions = createPtySessionManager({ stateDir: state.path, ...options });
  onTestFinished(async () => {
    await sessions.close();
    await work[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
  });
  const spec = (over: 'terminal' | 'pipe', more: Partial<SessionSpec> = {}): SessionSpec => ({
    sessionId: newId('ses'),
    agent: programAgent(over),
    workspace: { kind: 'path', path: work.path },
    ...more,
  });
  return { sessions, spec, state: state.path };
}

it('says so when tmux is not there', async () => {
  const bin = await temporaryFolder('semo-bin-');
  onTestFinished(() => bin[Symbol.asyncDispose]());
  await mkdir(join(bin.path, 'bin'));
  await symlink(process.execPath, join(bin.path, 'bin', 'node'));
  const { sessions, spec } = await stage({ hostEnv: { PATH: join(bin.path, 'bin') } });
  const asked = sessions.create(spec('terminal', { terminal: 'tmux' }));
  await expect(asked).rejects.toMatchObject({ code: 'terminal_unavailable', class: 'not_found' });
});

it('refuses tmux for an agent over pipes', async () => {
  const { sessions, spec } = await stage();
  await expect(sessions.create(spec('pipe', { terminal: 'tmux' }))).rejects.toMatchObject({ code: 'not_supported' });
});

it.skipIf(tmux.path === null)(
  `opens what the session asks for, else what the host is set to${tmux.reason}`,
  async () => {
    const { sessions, spec } = await stage({ terminal: 'tmux' });
    const own = await sessions.create(spec('terminal', { terminal: 'pty' }));
    const piped = await sessions.create(spec('pipe'));
    const watched = await sessions.create(spec('terminal', { agentId: 'FE' }));
    for (const info of [own, piped]) {
      expect(info.terminalId).toMatch(/^\d+$/);
      expect(info).not.toHaveProperty('attachCommand');
    }
    expect(watched.terminalId).toMatch(/^tmux:semo:%\d+$/);
    expect(watched.attachCommand).toMatch(/^\S*tmux -S \S+\/tmux\/socket attach -t semo$/);
    expect(askTmux(watched, 'list-windows', '-a', '-F', '#{window_name}')).toBe('FE');
  },
);

it.skipIf(tmux.path === null)(`ends one session and leaves the others' windows alone${tmux.reason}`, async () => {
  const { sessions, spec } = await stage({ terminal: 'tmux' });
  const [first, second] = await Promise.all([sessions.create(spec('terminal')), sessions.create(spec('terminal'))]);
  await sessions.terminate(first.sessionId);
  expect(askTmux(second, 'list-panes', '-a', '-F', '#{@semo_key} #{pane_dead}')).toBe(`${second.sessionId} 0`);
  await sessions.close();
  expect(() => askTmux(second, 'list-panes', '-a')).toThrow(/error connecting|no server running/);
});
