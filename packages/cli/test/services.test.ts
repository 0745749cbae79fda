import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { optionalTool, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { commandWords } from '../src/command-words.ts';
import { parseDuration } from '../src/duration.ts';
import { readHostArguments } from '../src/host/host-arguments.ts';

const SYSTEMD = optionalTool('systemd-analyze');
const read = (name: string) =>
  readFile(fileURLToPath(new URL(`../../../examples/services/${name}`, import.meta.url)), 'utf8');

/** What follows `semo host` in a command line. */
function placeOf(command: string) {
  const argv = commandWords(/semo host (?<rest>[^>]*)/.exec(command)?.groups?.['rest'] ?? '');
  const { place } = readHostArguments(argv, { cwd: '/', env: {} });
  if (place.kind !== 'supabase') throw new Error('The example serves a socket.');
  return place;
}

describe('the services of the examples', () => {
  it('for systemd: its options are known, and its end leaves time for the drain', async () => {
    const unit = (await read('semo-host.service')).replaceAll(/\\\n/g, '');
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
    const { drainMs, token, hostId } = placeOf(value('ExecStart'));
    expect({ hostId, file: token.file }).toEqual({ hostId: 'linux-1', file: '/etc/semo/host.token' });
    expect(parseDuration(value('TimeoutStopSec').replace('min', 'm'))).toBeGreaterThanOrEqual(drainMs + 60_000);
    expect(value('KillMode')).toBe('mixed');
  });

  it('for launchd: the same', async () => {
    const plist = (await read('com.example.semo-host.plist')).replaceAll('&amp;', '&');
    const { drainMs, hostId } = placeOf(/exec (semo host .*?)<\/string>/.exec(plist)?.[1] ?? '');
    expect(hostId).toBe('mac-1');
    const exitTimeoutS = Number(/<key>ExitTimeOut<\/key>\s*<integer>(\d+)</.exec(plist)?.[1]);
    expect(exitTimeoutS * 1000).toBeGreaterThanOrEqual(drainMs + 60_000);
    expect(plist).toMatch(/<key>AbandonProcessGroup<\/key>\s*<false\/>/);
  });

  it.skipIf(SYSTEMD.path === null)(`are understood by systemd${SYSTEMD.reason}`, async () => {
    await using folder = await temporaryFolder();
    const unit = join(folder.path, 'semo-host.service');
    await writeFile(unit, (await read('semo-host.service')).replace('/usr/local/bin/semo', process.execPath));
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', unit]);
    // It complains of what it does not understand, and goes on. Other units of the machine are none of ours.
    expect((stdout + stderr).split('\n').filter((line) => line.includes('semo-host'))).toEqual([]);
  });
});
