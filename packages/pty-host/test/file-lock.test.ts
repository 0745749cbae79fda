import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { FakeClock } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { tryFileLock, withFileLock } from '../src/file-lock.ts';
import { systemProcessTable as table } from '../src/process/system-process-table.ts';

describe('file lock', () => {
  it('lets one through at a time and leaves no file', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'deep', 'lock');
    let inside = 0;
    const most = await Promise.all(
      Array.from({ length: 10 }, () =>
        withFileLock(path, async () => {
          inside += 1;
          const now = inside;
          await new Promise(setImmediate);
          inside -= 1;
          return now;
        }),
      ),
    );
    expect(Math.max(...most)).toBe(1);
    expect(await readdir(join(folder.path, 'deep'))).toEqual([]);
  });

  it('waits for a living holder, but not for ever, and takes over from a dead one', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'lock');
    const release = await tryFileLock(path);
    expect(await tryFileLock(path)).toBeNull();
    await expect(withFileLock(path, () => Promise.resolve(), { timeoutMs: 1 })).rejects.toMatchObject({
      code: 'internal',
    });
    const waiting = withFileLock(path, () => Promise.resolve('in'));
    await release?.();
    expect(await waiting).toBe('in');
    const dead = { pid: process.pid, startTime: 1, hostname: table.machine.hostname, nonce: 'n' };
    await writeFile(path, JSON.stringify({ ...dead, hostname: 'elsewhere' }));
    expect(await tryFileLock(path)).toBeNull();
    for (const left of [JSON.stringify(dead), 'half']) {
      await writeFile(path, left);
      expect(await withFileLock(path, () => Promise.resolve('in'))).toBe('in');
    }
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('waits by the clock it is given', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'lock');
    const release = await tryFileLock(path);
    const clock = new FakeClock();
    const refused = withFileLock(path, () => Promise.resolve(), { clock, timeoutMs: 20 }).catch(
      (error: unknown) => error,
    );
    for (let tries = 0; tries < 2; tries += 1) {
      while (clock.pending === 0) await new Promise(setImmediate);
      clock.advance(15);
    }
    expect(await refused).toMatchObject({ code: 'internal' });
    expect(clock.pending).toBe(0);
    await release?.();
  });

  it('is let go of by an action that fails', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'lock');
    await expect(withFileLock(path, () => Promise.reject(new Error('No.')))).rejects.toThrow('No.');
    expect(await withFileLock(path, () => Promise.resolve('in'))).toBe('in');
  });
});
