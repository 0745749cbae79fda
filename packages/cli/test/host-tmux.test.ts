import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optionalTool, temporaryFolder } from '@semo-office/testbed';
import { joinOffice } from 'semo-office';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const TMUX = optionalTool('tmux');
const semo = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Starts a real host with its terminals in tmux; resolves when it serves. */
async function startHost(folder: string): Promise<{ host: ChildProcess; complaints: () => string }> {
  const env = { PATH: process.env['PATH'], HOME: folder, XDG_STATE_HOME: join(folder, 'state') };
  const args = [semo, 'host', '--socket', join(folder, 'host.sock'), '--terminal', 'tmux'];
  const host = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  host.stderr.on('data', (chunk: Buffer) => void (complaints += chunk.toString()));
  onTestFinished(() => end(host, 'SIGTERM'));
  await once(host.stdout, 'data');
  return { host, complaints: () => complaints };
}

async function end(host: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const exit = once(host, 'exit');
  host.kill(signal);
  await exit;
}

describe.skipIf(TMUX.path === null)(`semo host --terminal tmux${TMUX.reason}`, () => {
  it('may be killed in the middle of a job: the next one goes on with its session, and the office with its turn', async () => {
    await using folder = await temporaryFolder('semo-host-');
    const first = await startHost(folder.path);
    const office = await joinOffice({ socketPath: join(folder.path, 'host.sock'), warm: {} });
    onTestFinished(() => office.close());
    const result = office.executeJob({
      prompt: 'mkfifo gate; echo begun; cat gate',
      session: { agent: { kind: 'shell' }, workspace: { kind: 'path', path: folder.path } },
    });
    const working = await vi.waitFor(async () => {
      const [session] = await office.sessions.list({ status: ['executing'] });
      const output = session === undefined ? null : await office.sessions.getOutput(session.sessionId);
      expect(output?.as === 'text' && output.text).toMatch(/^begun$/m);
      return session;
    }, 20_000);
    await end(first.host, 'SIGKILL');
    const second = await startHost(folder.path);
    expect(second.complaints()).toBe(`Goes on with session ${working?.sessionId} of a host that is gone.\n`);
    await writeFile(join(folder.path, 'gate'), 'open\n');
    expect(await result).toMatchObject({
      outcome: 'completed',
      text: 'begun\nopen',
      sessionId: working?.sessionId,
      attempts: [{ outcome: 'completed' }],
    });
  });
});
