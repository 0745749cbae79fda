import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import { optionalTool } from '@semo-office/testbed';
import { startSupabase, type LocalSupabase } from '@semo-office/testbed/supabase';
import { newId, remoteSessions, type ContainmentSpec, type SessionManager, type SessionSpec } from 'semo-office';
import { createSupabaseTransport, supabaseFolder } from 'semo-office/supabase';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { cliStage, type CliRun, type CliStage } from '../test-io.ts';
import { stallingLine } from './stalling-line.ts';

const SANDBOX = optionalTool('bwrap');
const semo = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

let supabase: LocalSupabase;
beforeAll(async () => {
  supabase = await startSupabase();
  await supabase.applyMigrations(join(supabaseFolder, 'migrations'));
});
afterAll(() => supabase[Symbol.asyncDispose]());

interface HostLine {
  readonly type: string;
  readonly [name: string]: unknown;
}

/** An office of its own in the project, and a machine for its host. */
async function stage() {
  const cli = await cliStage([]);
  onTestFinished(() => cli[Symbol.asyncDispose]());
  const officeId = newId('off');
  const env = { SEMO_SUPABASE_KEY: supabase.publishableKey, SEMO_HOST_TOKEN: await token(cli, { officeId }) };
  const where = ['--supabase-url', supabase.url, '--office', officeId, '--host-id', 'mac-1'];
  return { cli, officeId, env, where, sessions: () => sessionsOf(officeId), row: () => hostRow(officeId) };
}

async function token(
  cli: CliStage,
  { officeId, hostId = 'mac-1', expires = '1h' }: { officeId: string; hostId?: string; expires?: string },
): Promise<string> {
  const argv = ['host', 'token', '--office', officeId, '--host-id', hostId, '--expires', expires];
  const { stdout } = await cli.semo(argv, { env: { SEMO_SUPABASE_JWT_SECRET: supabase.jwtSecret } });
  return stdout.trim();
}

function sessionsOf(officeId: string): SessionManager {
  const transport = createSupabaseTransport({ url: supabase.url, key: supabase.secretKey, officeId });
  onTestFinished(() => transport.close());
  return remoteSessions(transport.office());
}

async function hostRow(officeId: string) {
  const [row] = await supabase.sql('select * from session_hosts where office_id = $1', [officeId]);
  return row;
}

/** `semo host` within this process, told to stop by signals of the test's own. */
function startHost({ cli, env, where }: Awaited<ReturnType<typeof stage>>, ...args: readonly string[]) {
  const stop = new AbortController();
  const hurry = new AbortController();
  const lines: HostLine[] = [];
  let complaints = '';
  const ended: Promise<CliRun> = cli.semo(['host', ...where, ...args], {
    env,
    signal: stop.signal,
    hurry: hurry.signal,
    onStderr: (text) => void (complaints += text),
    onStdout: (text) => lines.push(JSON.parse(text) as HostLine),
  });
  onTestFinished(async () => {
    stop.abort();
    hurry.abort();
    await ended;
  });
  /** Resolves with the line of that type, or fails with what the host has said instead. */
  const told = (type: string) =>
    Promise.race([
      vi.waitUntil(() => lines.find((line) => line.type === type), { timeout: 30_000 }),
      ended.then(({ stderr }) => lines.find((line) => line.type === type) ?? Promise.reject(new Error(stderr))),
    ]);
  return { stop: () => stop.abort(), hurry: () => hurry.abort(), ended, told, complaints: () => complaints };
}

/** A key as projects had them before, unsigned. */
function legacyKey(claims: object): string {
  return [{ alg: 'HS256' }, claims, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}

const shell = (folder: string): SessionSpec => ({
  sessionId: newId('ses'),
  agent: { kind: 'shell' },
  workspace: { kind: 'path', path: folder },
});

/** Begins a turn that ends when somebody opens the gate. */
async function workAtGate(sessions: SessionManager, { folder }: CliStage) {
  const { sessionId } = await sessions.create(shell(folder));
  const { turnId } = await sessions.sendPrompt(sessionId, 'mkfifo gate; echo begun; cat gate');
  await vi.waitFor(async () => {
    const output = await sessions.getOutput(sessionId);
    expect(output.as === 'text' && output.text).toMatch(/^begun\r?$/m);
  }, 20_000);
  const open = () => writeFile(join(folder, 'gate'), 'open\n');
  return { sessionId, turnId, open };
}

describe('semo host --supabase-url', { timeout: 120_000 }, () => {
  it('registers what it has, does the work of its office, and ends what is idle when it is told to stop', async () => {
    const here = await stage();
    const host = startHost(here, '--capacity', '2', '--label', 'linux', '--label', 'big');
    expect(await host.told('ready')).toMatchObject({ office: here.officeId, host: 'mac-1', capacity: 2 });
    expect(await here.row()).toMatchObject({
      state: 'online',
      capacity: 2,
      labels: ['linux', 'big'],
      agents: { claude: expect.stringMatching(/^\d+\.\d+\.\d+$/), shell: 'any' },
    });
    const sessions = here.sessions();
    const info = await sessions.create({
      ...shell(here.cli.folder),
      environment: { pass: ['SEMO_HOST_TOKEN', 'SEMO_SUPABASE_KEY'] },
    });
    expect(info.hostId).toBe('mac-1');
    const { turnId } = await sessions.sendPrompt(info.sessionId, 'echo "<$SEMO_HOST_TOKEN$SEMO_SUPABASE_KEY>"');
    expect((await sessions.waitForTurn(info.sessionId, turnId)).text).toBe('<>');
    host.stop();
    expect(await host.ended).toMatchObject({ status: 0 });
    expect(await here.row()).toMatchObject({ state: 'gone', draining: true });
    const [row] = await supabase.sql('select status, host_lost_at from agent_sessions where session_id = $1', [
      info.sessionId,
    ]);
    expect(row).toEqual({ status: 'terminated', host_lost_at: null });
  });

  it('drains: takes no new session, and lets a turn finish', async () => {
    const here = await stage();
    const host = startHost(here);
    await host.told('ready');
    const sessions = here.sessions();
    const { sessionId, turnId, open } = await workAtGate(sessions, here.cli);
    host.stop();
    expect(await host.told('draining')).toMatchObject({ atWork: 1, forMs: 600_000 });
    await vi.waitFor(async () => expect(await here.row()).toMatchObject({ draining: true, state: 'online' }), 20_000);
    await expect(sessions.create(shell(here.cli.folder))).rejects.toMatchObject({ code: 'capacity_exhausted' });
    await open();
    expect(await sessions.waitForTurn(sessionId, turnId)).toMatchObject({
      text: 'begun\nopen',
      state: { outcome: 'completed' },
    });
    expect(await host.ended).toMatchObject({ status: 0, stderr: '' });
    expect(await here.row()).toMatchObject({ state: 'gone' });
  });

  it('can be hurried: what is still at work is ended, and lost to the office', async () => {
    const here = await stage();
    const host = startHost(here);
    await host.told('ready');
    const { sessionId } = await workAtGate(here.sessions(), here.cli);
    host.stop();
    await host.told('draining');
    host.hurry();
    expect(await host.ended).toMatchObject({
      status: 0,
      stderr: '1 session is ended in the middle of its work.\n',
    });
    const [row] = await supabase.sql('select host_lost_at from agent_sessions where session_id = $1', [sessionId]);
    expect(row?.['host_lost_at']).not.toBeNull();
  });

  it('reads its token again, and goes on with one that takes its place, even late', async () => {
    const here = await stage();
    const file = join(here.cli.folder, 'host.token');
    await writeFile(file, `${await token(here.cli, { officeId: here.officeId, expires: '5s' })}\n`);
    const host = startHost({ ...here, env: { ...here.env, SEMO_HOST_TOKEN: '' } }, '--token-file', file);
    await host.told('ready');
    await vi.waitFor(() => expect(host.complaints()).toContain('was over at'), 20_000);
    await writeFile(file, await token(here.cli, here));
    const sessions = here.sessions();
    const { sessionId } = await vi.waitFor(() => sessions.create(shell(here.cli.folder)), 30_000);
    await sessions.terminate(sessionId);
    host.stop();
    expect(await host.ended).toMatchObject({ status: 0 });
  });

  it.skipIf(SANDBOX.path === null)(
    `keeps its key and its token from agents in a sandbox${SANDBOX.reason}`,
    async () => {
      const here = await stage();
      const secrets = join(here.cli.folder, 'secrets');
      const [work, key, file] = [join(here.cli.folder, 'work'), join(secrets, 'key'), join(secrets, 'token')];
      for (const folder of [work, secrets]) await mkdir(folder);
      await writeFile(key, here.env.SEMO_SUPABASE_KEY);
      await writeFile(file, here.env.SEMO_HOST_TOKEN);
      const host = startHost(
        { ...here, env: { SEMO_SUPABASE_KEY: '', SEMO_HOST_TOKEN: '' } },
        '--key-file',
        key,
        '--token-file',
        file,
      );
      await host.told('ready');
      const sessions = here.sessions();
      const open = async (containment: ContainmentSpec) => {
        const { sessionId } = await sessions.create({ ...shell(work), containment });
        const { turnId } = await sessions.sendPrompt(sessionId, `ls -1 ${here.cli.folder}/secrets`);
        return (await sessions.waitForTurn(sessionId, turnId)).text;
      };
      expect(await open({ level: 'sandbox', readable: [here.cli.folder] })).toBe('');
      await expect(open({ level: 'sandbox', readable: [file] })).rejects.toMatchObject({ code: 'workspace_forbidden' });
      // The same user may read its own files, and docs/hosts.md says so.
      expect(await open({ level: 'process_group' })).toBe('key\ntoken');
      host.stop();
      await host.ended;
    },
  );

  it('leaves its name to another one that has taken it, and ends its agents', async () => {
    const [here, elsewhere] = [await stage(), await stage()];
    const host = startHost(here);
    await host.told('ready');
    const sessions = here.sessions();
    const { terminalId } = await sessions.create(shell(here.cli.folder));
    const successor = startHost({ ...here, cli: elsewhere.cli });
    await successor.told('ready');
    // Both are told that there is something for them.
    const { sessionId } = await sessions.create(shell(here.cli.folder));
    expect(await host.ended).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('Another process has registered'),
    });
    expect(() => process.kill(Number(terminalId), 0)).toThrow('ESRCH');
    expect(await sessions.get(sessionId)).toMatchObject({ status: 'ready' });
    successor.stop();
    expect(await successor.ended).toMatchObject({ status: 0 });
  });

  it('waits for a project that is out of reach', async () => {
    const here = await stage();
    const cut = supabase.faults.rest.answerWith({ status: 503 });
    const host = startHost(here);
    await vi.waitFor(() => expect(host.complaints()).toContain('It is tried again.'), 20_000).finally(() => cut.end());
    await host.told('ready');
    host.stop();
    expect(await host.ended).toMatchObject({ status: 0 });
  });
});

describe('a project that is of no use', { timeout: 120_000 }, () => {
  it('is told from one that is out of reach', async () => {
    const here = await stage();
    const where = ['--supabase-url', `${supabase.url}/studio`, '--office', here.officeId, '--host-id', 'mac-1'];
    const { status, stderr } = await startHost({ ...here, where }).ended;
    expect(status).toBe(1);
    expect(stderr).toContain('is no Supabase project with our tables');
  });

  it('is named, and left at once by who is told to stop', async () => {
    const here = await stage();
    const where = ['--supabase-url', 'http://127.0.0.1:9', '--office', here.officeId, '--host-id', 'mac-1'];
    const host = startHost({ ...here, where });
    await vi.waitFor(() => expect(host.complaints()).toContain('The database at 127.0.0.1:9 did not answer.'), 20_000);
    host.stop();
    expect(await host.ended).toMatchObject({ status: 0 });
  });

  it('keeps nobody who is in a hurry', async () => {
    const here = await stage();
    await using line = await stallingLine(supabase.url);
    const where = ['--supabase-url', line.url, '--office', here.officeId, '--host-id', 'mac-1'];
    const host = startHost({ ...here, where });
    await host.told('ready');
    line.stall();
    host.stop();
    const drain = await line.asked('semo_drain_host');
    host.hurry();
    expect(await host.ended).toMatchObject({ status: 0 });
    // It was not even given up yet.
    expect(drain.isOver).toBe(false);
  });
});

describe('a host that is not let in', () => {
  it.each([
    { what: 'the secret key', key: () => supabase.secretKey },
    { what: 'a service role key of old', key: () => legacyKey({ role: 'service_role' }) },
  ])('holds $what', async ({ key }) => {
    const here = await stage();
    const env = { ...here.env, SEMO_SUPABASE_KEY: key() };
    const { status, stderr } = await startHost({ ...here, env }).ended;
    expect(status).toBe(2);
    expect(stderr).toContain('a host must not hold it');
    expect(stderr).not.toContain(key());
  });

  it.each([
    { who: 'somebody else', of: { hostId: 'mac-2' }, says: 'for host mac-2' },
    { who: 'of another office', of: { officeId: 'rival' }, says: 'of office rival' },
  ])('is $who', async ({ of, says }) => {
    const here = await stage();
    const host = startHost({
      ...here,
      env: { ...here.env, SEMO_HOST_TOKEN: await token(here.cli, { officeId: here.officeId, ...of }) },
    });
    const { status, stdout, stderr } = await host.ended;
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(says);
  });

  it('is late: its token is over', async () => {
    const here = await stage();
    const claims = {
      role: 'authenticated',
      app_metadata: { semo: { role: 'host', office_id: here.officeId, host_id: 'mac-1' } },
    };
    const late = new SignJWT({ ...claims, iat: 1_700_000_000, exp: 1_700_003_600 }).setProtectedHeader({
      alg: 'HS256',
    });
    const env = { ...here.env, SEMO_HOST_TOKEN: await late.sign(new TextEncoder().encode(supabase.jwtSecret)) };
    const { status, stdout, stderr } = await startHost({ ...here, env }).ended;
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('was over at 2023-11-14T23:13:20');
  });

  it('speaks another protocol, and is told who is to be upgraded', async () => {
    const here = await stage();
    const protocols = (range: string) =>
      supabase.sql(`create or replace function semo.protocols() returns int4range language sql immutable
        set search_path = '' as $$ select int4range(${range}, '[]') $$`);
    await protocols('2, 3');
    onTestFinished(async () => void (await protocols('1, 1')));
    const { status, stderr } = await startHost(here).ended;
    expect(status).toBe(1);
    expect(stderr).toBe('This host speaks protocol 1, and the database understands 2 to 3. Upgrade the host.\n');
  });

  it("reads and writes nothing of another office's, with a token that is good for its own", async () => {
    const [here, other] = [await stage(), await stage()];
    const host = startHost(other);
    await host.told('ready');
    const client = createClient(supabase.url, supabase.publishableKey, {
      accessToken: () => Promise.resolve(here.env.SEMO_HOST_TOKEN),
    });
    const as = { p_office_id: here.officeId, p_host_id: 'mac-1', p_protocol: 1, p_capacity: 1 };
    expect((await client.rpc('semo_register_host', as)).error).toBeNull();
    const refused = await client.rpc('semo_register_host', { ...as, p_office_id: other.officeId });
    expect(refused.error).toMatchObject({ code: '42501' });
    const { data } = await client.from('session_hosts').select('office_id');
    expect(data).toEqual([{ office_id: here.officeId }]);
    expect(await other.row()).toMatchObject({ state: 'online', capacity: 4 });
  });

  it.each([
    { argv: ['--socket', 's', '--office', 'a'], says: '--office goes with --supabase-url' },
    { argv: ['--socket', 's', '--supabase-url', 'http://h'], says: 'whom to serve' },
    { argv: ['--supabase-url', 'http://h'], says: '--office ID --host-id ID' },
    { argv: ['--supabase-url', 'h', '--office', 'a', '--host-id', 'h'], says: 'https://' },
    { argv: ['--supabase-url', 'http://h', '--office', 'a b', '--host-id', 'h'], says: 'An id has' },
    { argv: ['--supabase-url', 'http://h', '--office', 'a', '--host-id', 'h', '--capacity', '0'], says: '1 to 9999' },
    { argv: ['--supabase-url', 'http://h', '--office', 'a', '--host-id', 'h', '--drain', 'x'], says: 'is no time' },
    { argv: ['--supabase-url', 'http://h', '--office', 'a', '--host-id', 'h'], says: 'SEMO_HOST_TOKEN' },
    { argv: ['--supabase-url', 'http://h', '--office', 'a', '--host-id', 'h', '--token-file', 'n'], says: 'be read' },
  ])('was told something wrong: $argv', async ({ argv, says }) => {
    await using cli = await cliStage([]);
    expect(await cli.semo(['host', ...argv])).toMatchObject({ status: 2, stderr: expect.stringContaining(says) });
  });
});

it('as a process takes SIGTERM, and is gone with its sessions', { timeout: 120_000 }, async () => {
  const here = await stage();
  const child = spawn(process.execPath, [semo, 'host', ...here.where], {
    cwd: here.cli.folder,
    env: { PATH: process.env['PATH'], HOME: here.cli.home, ...here.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const sessions = here.sessions();
  const { terminalId } = await sessions.create(shell(here.cli.folder));
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(() => process.kill(Number(terminalId), 0)).toThrow('ESRCH');
});
