import { once } from 'node:events';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { SemoError, WireEvent } from '@semo-office/core';
import { FakeClock, expectError } from '@semo-office/core/testing';

import { connectToSocket, listenOnSocket } from '../../src/index.ts';
import { closeLater, connectRaw, killHard, readLines, socketPath, startDeadHost } from '../fixtures/socket-fixture.ts';

const HELLO = '{"kind":"hello","protocol":1}\n';
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

function problems() {
  const told: SemoError[] = [];
  const waits: (() => void)[] = [];
  return {
    onProblem: (problem: SemoError) => {
      told.push(problem);
      for (const go of waits.splice(0)) go();
    },
    next: async (): Promise<SemoError | undefined> => {
      if (told.length === 0) await new Promise<void>((resolve) => waits.push(resolve));
      return told.shift();
    },
  };
}

describe('listenOnSocket, the file', () => {
  it('is for its owner alone, whatever the mask', async () => {
    const path = await socketPath();
    const mask = process.umask(0);
    try {
      closeLater(await listenOnSocket({ path }));
    } finally {
      // Listening has put the mask back to what it was.
      expect(process.umask(mask)).toBe(0);
    }
    expect(await modeOf(path)).toBe(0o600);
  });

  it('makes its folder, for its owner alone', async () => {
    const path = join(dirname(await socketPath()), 'run', 'semo', 'host.sock');
    closeLater(await listenOnSocket({ path }));
    expect(await modeOf(dirname(path))).toBe(0o700);
    expect(await modeOf(dirname(dirname(path)))).toBe(0o700);
  });

  it('refuses a folder others may write to, unless they can remove nothing there', async () => {
    const folder = join(dirname(await socketPath()), 'shared');
    await mkdir(folder);
    await chmod(folder, 0o777);
    await expectError(listenOnSocket({ path: join(folder, 'host.sock') }), 'unsafe_path');
    await chmod(folder, 0o1777);
    closeLater(await listenOnSocket({ path: join(folder, 'host.sock') }));
  });

  it('refuses paths that cannot be addressed', async () => {
    const folder = dirname(await socketPath());
    const tooLong = join(folder, 'x'.repeat(108 - folder.length - 1));
    const error = await expectError(listenOnSocket({ path: tooLong }), 'invalid_argument');
    expect(error.details).toMatchObject({ bytes: 108 });
    await expectError(listenOnSocket({ path: 'host.sock' }), 'invalid_argument');
    await expectError(connectToSocket({ path: tooLong }), 'invalid_argument');
  });

  it('takes the longest path there can be', async () => {
    const folder = dirname(await socketPath());
    const longest = process.platform === 'linux' ? 107 : 103;
    const path = join(folder, 'x'.repeat(longest - folder.length - 1));
    closeLater(await listenOnSocket({ path }));
    expect(await modeOf(path)).toBe(0o600);
  });

  it('takes the place of a host that was killed', async () => {
    const path = await socketPath();
    await killHard(await startDeadHost(path));
    expect((await stat(path)).isSocket()).toBe(true);
    closeLater(await listenOnSocket({ path }));
    closeLater(await connectToSocket({ path }));
    expect(await modeOf(path)).toBe(0o600);
  });

  it('lets one of several win the place of a host that was killed', async () => {
    const path = await socketPath();
    await killHard(await startDeadHost(path));
    const outcomes = await Promise.allSettled([
      listenOnSocket({ path }),
      listenOnSocket({ path }),
      listenOnSocket({ path }),
    ]);
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    for (const { value } of won) closeLater(value);
    expect(won).toHaveLength(1);
    closeLater(await connectToSocket({ path }));
  });

  it('leaves a living host alone', async () => {
    const path = await socketPath();
    closeLater(await listenOnSocket({ path }));
    await expectError(listenOnSocket({ path }), 'host_running');
    closeLater(await connectToSocket({ path }));
  });

  it('leaves a file that is no socket alone', async () => {
    const path = await socketPath();
    await writeFile(path, 'precious');
    await expectError(listenOnSocket({ path }), 'unsafe_path');
  });

  it('goes with its host', async () => {
    const path = await socketPath();
    const host = await listenOnSocket({ path });
    await Promise.all([host.close(), host.close()]);
    await expect(stat(path)).rejects.toThrow('ENOENT');
    expect(() => host.serve(async () => ({ success: true, result: null }))).toThrow('closed');
    await expectError(connectToSocket({ path }), 'host_lost');
  });
});

describe('listenOnSocket, connections that misbehave', () => {
  it.each([
    ['garbage', 'GET / HTTP/1.1\r\n\r\n', 'invalid_message'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x0a]), 'invalid_message'],
    ['a command before hello', '{"kind":"command","seq":1,"command":{}}\n', 'invalid_message'],
    ['another protocol', '{"kind":"hello","protocol":99}\n', 'not_supported'],
    [
      'a frame of more than 16 MiB',
      Buffer.concat([Buffer.from(HELLO), Buffer.alloc(17 * 1024 * 1024, 'x')]),
      'invalid_message',
    ],
  ])('refuses %s and lives on', async (_, bytes, code) => {
    const path = await socketPath();
    const { onProblem, next } = problems();
    const host = closeLater(await listenOnSocket({ path, onProblem }));
    host.serve(async () => ({ success: true, result: null }));
    const raw = await connectRaw(path);
    const lines = readLines(raw, (line) => line.includes('refused'));
    raw.write(bytes);
    const problem = await next();
    expect(problem?.code).toBe(code);
    expect((await lines).join('\n')).toContain('"kind":"refused"');
    const office = closeLater(await connectToSocket({ path }));
    expect(await office.dispatch({ commandId: 'c', body: { kind: 'list_sessions' } })).toEqual({
      success: true,
      result: null,
    });
  });

  it('hangs up on who does not say hello', async () => {
    const path = await socketPath();
    const clock = new FakeClock();
    const { onProblem, next } = problems();
    closeLater(await listenOnSocket({ path, clock, onProblem }));
    const raw = await connectRaw(path);
    await once(raw, 'data');
    const closed = once(raw, 'close');
    clock.advance(5000);
    await closed;
    expect((await next())?.message).toContain('hello');
  });

  it('drops output for an office that does not read, and nothing else', async () => {
    const path = await socketPath();
    const host = closeLater(await listenOnSocket({ path }));
    const office = closeLater(await connectToSocket({ path }));
    const raw = await connectRaw(path);
    raw.write(HELLO);
    await once(raw, 'data');
    host.serve(async () => ({ success: true, result: null }));
    // The host has read the hello of the bare connection before it answers what came later on another.
    await office.dispatch({ commandId: 'c', body: { kind: 'list_sessions' } });
    raw.pause();
    const base64 = Buffer.alloc(65_536, 7).toString('base64');
    for (let index = 0; index < 3000; index += 1)
      host.publish({ name: 'output', sessionId: 's', offset: index * 65_536, base64, at: 1 });
    host.publish({ name: 'status', sessionId: 's', status: 'ready', at: 1 });
    const lines = readLines(raw, (line) => line.includes('"name":"status"'));
    raw.resume();
    const received = await lines;
    expect(received.at(-1)).toContain('"status":"ready"');
    // 4 MiB in the host, and what the kernel holds; the rest of the 260 MiB was never kept.
    expect(received.length).toBeGreaterThan(10);
    expect(received.length).toBeLessThan(200);
  });

  it('hangs up on an office that leaves too much unread', async () => {
    const path = await socketPath();
    const { onProblem, next } = problems();
    const host = closeLater(await listenOnSocket({ path, onProblem }));
    const greeted = Promise.withResolvers<void>();
    host.serve(async () => {
      greeted.resolve();
      return { success: true, result: null };
    });
    const raw = await connectRaw(path);
    raw.write(`${HELLO}{"kind":"command","seq":1,"command":{}}\n`);
    raw.pause();
    await greeted.promise;
    const event: WireEvent = {
      name: 'request',
      request: {
        requestId: 'r',
        sessionId: 's',
        turnId: 't',
        kind: 'question',
        input: 'x'.repeat(4 * 1024 * 1024),
        askedAt: 1,
      },
      at: 1,
    };
    for (let index = 0; index < 20; index += 1) host.publish(event);
    expect((await next())?.message).toContain('unread');
  });

  it('tells of an event that no frame carries', async () => {
    const path = await socketPath();
    const { onProblem, next } = problems();
    const host = closeLater(await listenOnSocket({ path, onProblem }));
    closeLater(await connectToSocket({ path }));
    host.publish({ name: 'output', sessionId: 's', offset: 0, base64: 'A'.repeat(17 * 1024 * 1024), at: 1 });
    expect((await next())?.message).toContain('not sent');
  });
});
