import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open as openFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { openPty } from '../../src/terminal/pty-terminal.ts';
import { TERMINALS, openShell } from './opened-terminal.ts';

// The shell's own descriptors; what follows keeps it from becoming `ls`, which has one more open.
const LIST = 'ls -1 /proc/$$/fd; exit 0';
const OWN = ['0', '1', '2'];
const listed = (output: string) => output.trim().split(/\s+/);

describe.runIf(process.platform === 'linux')('the descriptors of an agent', () => {
  it.each(TERMINALS)('are its own three and none of the host’s, on $name', async ({ open, absent = false }) => {
    if (absent) return;
    await using folder = await temporaryFolder('semo-descriptors-');
    // A gap below the terminals that follow: node-pty's own closing stops at the first unused number.
    const gap = await Promise.all(Array.from({ length: 40 }, () => openFile('/dev/null')));
    await using file = await openFile(`${folder.path}/file`, 'w');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using first = await openShell('sleep 30', { open: openPty });
    await using second = await openShell('sleep 30', { open });
    await Promise.all(gap.map((handle) => handle.close()));
    await using third = await openShell(LIST, { open });
    await third.exited;
    server.close();
    expect(listed(third.bytes().toString())).toEqual(OWN);
    expect([first.exits(), second.exits(), file.fd > 2]).toEqual([0, 0, true]);
  });

  it('would be seen if there were more: one that is handed on shows up', async () => {
    await using folder = await temporaryFolder('semo-descriptors-');
    await using file = await openFile(`${folder.path}/file`, 'w');
    await using other = await openShell('sleep 30', { open: openPty });
    const child = spawn('/bin/sh', ['-c', LIST], { stdio: ['ignore', 'pipe', 'inherit', file.fd] });
    if (child.stdout === null) throw new Error('The shell has no output.');
    const seen = listed(await text(child.stdout));
    expect(seen).toEqual(expect.arrayContaining([...OWN, '3']));
    // And this is what ours would get without our closing: the other terminal's master.
    expect(seen.length).toBeGreaterThan(4);
    expect(other.exits()).toBe(0);
  });
});
