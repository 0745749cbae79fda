import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished } from 'vitest';

import { findTools } from '../../src/containment/found-tools.ts';
import { sandboxArguments } from '../../src/containment/sandbox.ts';
import { exitOfInside, shieldedCommand } from '../../src/containment/shielded-command.ts';
import { readInnerPid } from '../../src/process/proc-process-table.ts';

/** A folder with programs that only fail. */
async function refusing(...names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder('semo-tools-');
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await mkdir(folder.path, { recursive: true });
  for (const name of names) {
    await writeFile(join(folder.path, name), '#!/bin/sh\necho "$(basename "$0"): not permitted" >&2\nexit 1\n');
    await chmod(join(folder.path, name), 0o755);
  }
  return folder.path;
}

describe('what a machine can contain with', () => {
  it('is found out by trying: a tool that is there and may not is none', async () => {
    const found = await findTools(await refusing('unshare', 'bwrap'));
    expect(found).toEqual({
      pidNamespace: { missing: expect.stringContaining('unshare: not permitted') as string },
      sandbox: { missing: expect.stringContaining('bwrap: not permitted') as string },
    });
  });

  it('is nothing with an env that cannot shield', async () => {
    const found = await findTools(await refusing('env'));
    expect(Object.values(found).every((each) => 'missing' in each)).toBe(true);
  });
});

describe('the way into a namespace', () => {
  const tools = { bash: '/bin/bash', env: '/usr/bin/env' };

  it('does not take a program with "=" in its path for a variable', () => {
    const command = shieldedCommand({ tools, enter: ['enter'], agent: ['/opt/a=b/agent'], locale: 'C.UTF-8' });
    expect(command.slice(-4)).toEqual(['-c', 'exec "$@"', 'semo', '/opt/a=b/agent']);
    expect(command).toContain('LC_ALL=C.UTF-8');
  });

  it.each([
    [
      { code: 0, signal: null },
      { code: 0, signal: null },
    ],
    [
      { code: 127, signal: null },
      { code: 127, signal: null },
    ],
    [
      { code: 143, signal: null },
      { code: null, signal: 'SIGTERM' },
    ],
    [
      { code: 255, signal: null },
      { code: 255, signal: null },
    ],
    [
      { code: null, signal: 'SIGKILL' },
      { code: null, signal: 'SIGKILL' },
    ],
  ])('tells the exit %j as %j', (told, exit) => {
    expect(exitOfInside(told)).toEqual(exit);
  });

  it.each([
    ['Name:\tcat\nNSpid:\t17\n', null],
    ['NSpid:\t17\t1\nNSpgid:\t17\t0\n', 1],
    ['NSpid:\t17\t40\t2\n', 2],
    ['', null],
  ])('is read from %j', (status, pid) => {
    expect(readInnerPid(status)).toBe(pid);
  });
});

describe('a sandbox’s arguments', () => {
  it('mount outer places first, and of two words for one the later', () => {
    const args = sandboxArguments({
      folder: '/home/me/app',
      network: 'none',
      places: [
        { path: '/home/me/app/.git/config', as: 'readable' },
        { path: '/home', as: 'hidden' },
        { path: '/home/me/app', as: 'readable' },
        { path: '/home/me/app', as: 'writable' },
      ],
    });
    const from = args.indexOf('/home') - 1;
    const git = '/home/me/app/.git/config';
    expect(args.slice(from).join(' ')).toBe(
      `--tmpfs /home --bind /home/me/app /home/me/app --ro-bind ${git} ${git} --chdir /home/me/app`,
    );
    expect(args).toContain('--unshare-net');
  });
});
