import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

import { commandNotifier, noticeSchema, type Notice } from '../../src/index.ts';

const notice: Notice = {
  kind: 'request_settled',
  sentence: 'The request was allowed by Mina.',
  requestId: 'req_1',
  sessionId: 'ses_1',
  turnId: 'turn_1',
  at: 1,
  outcome: 'allowed',
  by: 'Mina',
};
async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'semo-notify-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const forever = { signal: new AbortController().signal };
const sh = (script: string, ...more: string[]) => ['/bin/sh', '-c', script, 'notify', ...more];

const isGone = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
};

describe('a program that tells people', () => {
  it('gets the notice as a line of JSON, and little of the environment', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'told');
    vi.stubEnv('SOME_TOKEN', 'hunter2');
    const command = sh('cat > "$1"; env >> "$1"', file);
    await commandNotifier({ command, environment: { EXTRA: 'given' } }).notify(notice, forever);
    vi.unstubAllEnvs();
    const [line = '', ...environment] = (await readFile(file, 'utf8')).split('\n');
    expect(noticeSchema.parse(JSON.parse(line))).toEqual(notice);
    expect(environment).toContain('EXTRA=given');
    expect(environment.join('\n')).not.toContain('hunter2');
  });

  it('may not care for its input', async () => {
    await expect(commandNotifier({ command: ['/bin/true'] }).notify(notice, forever)).resolves.toBeUndefined();
  });

  it.each([
    { command: sh('echo "no screen" >&2; exit 3'), message: 'it ended with status 3' },
    { command: sh('kill -TERM $$'), message: 'it was ended by SIGTERM' },
    { command: ['/no/such/program'], message: 'it could not be started' },
  ])('that fails is an error: $message', async ({ command, message }) => {
    await expect(commandNotifier({ command }).notify(notice, forever)).rejects.toMatchObject({
      code: 'notify_failed',
      message: expect.stringContaining(message),
    });
  });

  it('is ended with all it started when its time is over', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'pids');
    const given = new AbortController();
    const command = sh('tail -f /dev/null & echo "$$ $!" > "$1.part"; mv "$1.part" "$1"; wait', file);
    const telling = commandNotifier({ command }).notify(notice, { signal: given.signal });
    const pids = await vi.waitFor(async () => (await readFile(file, 'utf8')).trim().split(' ').map(Number), 10_000);
    given.abort();
    await expect(telling).rejects.toMatchObject({ code: 'notify_failed' });
    expect(pids).toHaveLength(2);
    await vi.waitFor(() => expect(pids.every(isGone)).toBe(true), 10_000);
    await expect(commandNotifier({ command }).notify(notice, { signal: given.signal })).rejects.toMatchObject({
      message: expect.stringContaining('no more time'),
    });
  });

  it('has a limit of its own', async () => {
    const notifier = commandNotifier({ command: sh('tail -f /dev/null'), timeoutMs: 50 });
    await expect(notifier.notify(notice, forever)).rejects.toMatchObject({
      message: 'The program that tells people failed: it took longer than 50 ms.',
    });
  });

  it('must be named', () => {
    expect(() => commandNotifier({ command: [] })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
