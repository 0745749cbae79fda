import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  agentEnvironment,
  claudeBinary,
  lastToolResults,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
} from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { TURN_EVENTS } from '../../../../src/agent/claude/hooks/hook-listener.ts';
import { hookSettings } from '../../../../src/agent/claude/hooks/hook-settings.ts';

const run = promisify(execFile);
const ENDPOINT = { url: 'http://127.0.0.1:1', token: 'secret' };

describe('settings with hooks of ours', () => {
  it('send every event of a turn to our listener, with the token', () => {
    const { hooks } = hookSettings(ENDPOINT, { turns: true, guard: false });
    expect(Object.keys(hooks as object)).toEqual([...TURN_EVENTS]);
    expect(JSON.stringify(hooks)).toContain('Bearer secret');
  });

  it('have a guard that fails closed, and is asked of every file tool', () => {
    const { hooks } = hookSettings(ENDPOINT, { turns: false, guard: true });
    expect(hooks).toEqual({
      PreToolUse: [
        {
          matcher: 'Write|Edit|MultiEdit|NotebookEdit',
          hooks: [expect.objectContaining({ type: 'http', onFailure: 'block', url: 'http://127.0.0.1:1/PreToolUse' })],
        },
      ],
    });
  });
});

describe('a file tool of the real CLI', () => {
  /** Runs it beside a guard that answers so; tells whether the file was written, and what the model was told. */
  async function writeBesides(answer: (response: ServerResponse) => void) {
    await using work = await temporaryFolder('semo-guard-');
    await using config = await temporaryFolder('semo-guard-');
    const guard = createServer((_, response) => answer(response));
    guard.listen(0, '127.0.0.1');
    await once(guard, 'listening');
    const url = `http://127.0.0.1:${(guard.address() as AddressInfo).port}`;
    // One second, so that nobody has to wait for the minute that it has.
    const text = JSON.stringify(hookSettings({ url, token: 't' }, { turns: false, guard: true }));
    const settings = join(config.path, 'settings.json');
    await writeFile(settings, text.replaceAll('"timeout":60', '"timeout":1'));
    const file = join(work.path, 'a.txt');
    await using model = await startModelServer({
      script: [useTool('Write', { file_path: file, content: '' }), say('Done.')],
    });
    const args = ['--print', 'Go.', '--permission-mode', 'bypassPermissions', '--settings', settings];
    const env = agentEnvironment(model, { configDir: config.path, maxRetries: 0 });
    const running = run(claudeBinary(), args, { cwd: work.path, env });
    running.child.stdin?.end();
    await running;
    guard.closeAllConnections();
    guard.close();
    const written = await stat(file).then(
      () => true,
      () => false,
    );
    return { written, told: lastToolResults(model.messages.at(-1)!)[0]?.text ?? '' };
  }

  it.each<[how: string, answer: (response: ServerResponse) => void]>([
    ['is gone', (response) => response.socket?.destroy()],
    ['has failed', (response) => response.writeHead(500).end('{}')],
    ['does not know it', (response) => response.writeHead(401).end('{}')],
    ['says what is no JSON', (response) => response.writeHead(200).end('no')],
    ['says nothing in time', () => undefined],
  ])('does not run where its guard %s', async (_, answer) => {
    const { written, told } = await writeBesides(answer);
    expect(written).toBe(false);
    expect(told).toContain('blocking because onFailure is "block"');
  });

  it('runs where its guard has nothing to say', async () => {
    const { written } = await writeBesides((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    expect(written).toBe(true);
  });
});
