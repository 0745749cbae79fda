import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@semo-office/testbed';
import { connectToSocket, joinOffice, newId, remoteSessions, type SessionManager, type SessionSpec } from 'semo-office';
import { describe, expect, it, vi } from 'vitest';

const semo = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const program = fileURLToPath(new URL('../../pty-host/test/fixtures/prompted-program.mjs', import.meta.url));

/** Real processes of `semo`, in folders of their own. */
async function stage() {
  const folder = await temporaryFolder('semo-host-');
  const socket = join(folder.path, 'host.sock');
  const env = { PATH: process.env['PATH'], HOME: folder.path, XDG_STATE_HOME: join(folder.path, 'state') };
  const children: ChildProcess[] = [];
  let complaints = '';
  const start = async (args: readonly string[]) => {
    const child = spawn(process.execPath, [semo, ...args], {
      cwd: folder.path,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => void (complaints += chunk.toString()));
    children.push(child);
    return child;
  };
  return {
    folder: folder.path,
    socket,
    start,
    /** All that they have said on standard error. */
    complaints: () => complaints,
    /** A host that serves the socket. */
    async host(...args: string[]) {
      const child = await start(['host', '--socket', socket, ...args]);
      if (child.stdout !== null) await once(child.stdout, 'data');
      return child;
    },
    spec(): SessionSpec {
      return {
        sessionId: newId('ses'),
        agent: { kind: 'command', command: [process.execPath, program] },
        workspace: { kind: 'path', path: folder.path },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) await gone(child, 'SIGTERM');
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function gone(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

const connect = async (path: string, hostLostAfterMs = 300): Promise<SessionManager> =>
  remoteSessions(await connectToSocket({ path }), { hostLostAfterMs });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Resolves when a session has printed `text`. */
async function printed(sessions: SessionManager, sessionId: string, text: string): Promise<void> {
  await vi.waitFor(async () => {
    const output = await sessions.getOutput(sessionId);
    expect(output.as === 'text' ? output.text : '').toContain(text);
  }, 10_000);
}

describe('semo host', () => {
  it('serves a socket for its user alone, and ends everything when it is told to stop', async () => {
    await using here = await stage();
    const host = await here.host();
    expect((await stat(here.socket)).mode & 0o777).toBe(0o600);
    const office = await joinOffice({ socketPath: here.socket });
    const { sessionId, terminalId } = await office.sessions.create(here.spec());
    const { turnId } = await office.sessions.sendPrompt(sessionId, 'add 20 22');
    expect((await office.sessions.waitForTurn(sessionId, turnId)).text).toContain('42');
    await gone(host, 'SIGTERM');
    expect(host.exitCode).toBe(0);
    expect(isAlive(Number(terminalId))).toBe(false);
    await expect(stat(here.socket)).rejects.toThrow('ENOENT');
    // What it has written down of the session is kept, and nothing else.
    expect(await readdir(join(here.folder, 'state', 'semo'))).toEqual(['history']);
    await office.close();
  });

  it('may be killed: the office side lives on, and goes on when there is a host again', async () => {
    await using here = await stage();
    const host = await here.host();
    const sessions = await connect(here.socket);
    const { sessionId, terminalId } = await sessions.create(here.spec());
    await printed(sessions, sessionId, 'listening');
    const { turnId } = await sessions.sendPrompt(sessionId, 'endless');
    const waiting = sessions.waitForTurn(sessionId, turnId).catch((error: unknown) => error);
    await gone(host, 'SIGKILL');
    expect(await waiting).toMatchObject({ code: 'host_lost', retryable: true });
    await expect(sessions.getOutput(sessionId)).rejects.toMatchObject({ code: 'host_lost' });
    await here.host();
    // The line is made anew by itself; what was there is swept away and known to have ended, and new work is taken.
    const next = here.spec();
    await vi.waitFor(async () => expect((await sessions.create(next)).status).toBe('ready'), { timeout: 10_000 });
    expect(await sessions.get(sessionId)).toMatchObject({ status: 'terminated', exit: null });
    expect((await sessions.waitForTurn(sessionId, turnId)).state).toMatchObject({ outcome: 'unknown' });
    // Its parent is gone: whoever has inherited it takes a moment to bury it.
    await vi.waitFor(() => expect(isAlive(Number(terminalId))).toBe(false), 5000);
    const turn = await sessions.sendPrompt(next.sessionId, 'say here again');
    expect((await sessions.waitForTurn(next.sessionId, turn.turnId)).state).toMatchObject({ outcome: 'completed' });
    await sessions.close();
  });

  it('tells what a host that was killed has left, and that it is gone', async () => {
    await using here = await stage();
    const host = await here.host();
    const sessions = await connect(here.socket);
    const { sessionId } = await sessions.create(here.spec());
    await sessions.close();
    await gone(host, 'SIGKILL');
    await here.host();
    const sentence = new RegExp(`^Cleared up after session ${sessionId}: \\d+ processes ended\\.$`, 'm');
    await vi.waitFor(() => expect(here.complaints()).toMatch(sentence), 10_000);
  });

  it('keeps terminals alive when the office side is killed, and they are found again', async () => {
    await using here = await stage();
    await here.host();
    const job = [
      '--agent',
      'command',
      '--exec',
      `${process.execPath} ${program}`,
      '--socket',
      here.socket,
      '--json',
      'endless',
    ];
    const office = await here.start(['run', ...job]);
    const watcher = await connect(here.socket);
    const found = await vi.waitFor(async () => {
      const [session] = await watcher.list({ status: ['executing'] });
      expect(session).toBeDefined();
      return session;
    }, 10_000);
    const { sessionId = '', turnId, terminalId } = found ?? {};
    await printed(watcher, sessionId, 'working');
    await gone(office, 'SIGKILL');
    await watcher.close();

    const again = await connect(here.socket);
    expect(await again.get(sessionId)).toMatchObject({ status: 'executing', turnId, terminalId });
    expect(isAlive(Number(terminalId))).toBe(true);
    await again.cancel(sessionId);
    expect((await again.waitForTurn(sessionId, turnId ?? '')).state).toMatchObject({ outcome: 'cancelled' });
    const next = await again.sendPrompt(sessionId, 'add 1 2');
    expect((await again.waitForTurn(sessionId, next.turnId)).text).toContain('The sum is 3.');
    await again.terminate(sessionId, { graceMs: 500 });
    expect(isAlive(Number(terminalId))).toBe(false);
    await again.close();
  });

  it.each([
    { args: [], status: 2 },
    { args: ['--socket', 'host.sock', '--repo', 'no-path'], status: 2 },
    { args: ['--socket', 'host.sock', '--unheard-of'], status: 2 },
    { args: ['--socket', `${'x'.repeat(200)}.sock`], status: 2 },
  ])('says what is wrong with $args', async ({ args, status }) => {
    await using here = await stage();
    const child = spawn(process.execPath, [semo, 'host', ...args], {
      cwd: here.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => void (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, said }).toEqual({ code: status, said: expect.stringMatching(/\S+/) as string });
  });

  it('does not take a socket that another host serves', async () => {
    await using here = await stage();
    await here.host();
    const second = await here.start(['host', '--socket', here.socket]);
    const [code] = (await once(second, 'close')) as [number];
    expect(code).toBe(1);
    const sessions = await connect(here.socket);
    expect(await sessions.list()).toEqual([]);
    await sessions.close();
  });
});
