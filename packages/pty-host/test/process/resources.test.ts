import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { machineMemory, sessionResources } from '../../src/process/resources.ts';
import { RealProcesses } from './real-processes.ts';

const MIB = 1024 ** 2;
const GONE = 2 ** 22 + 1;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A `/proc` and a `/sys/fs/cgroup` with just these files. */
function system(files: Readonly<Record<string, string>>): { proc: string; cgroup: string } {
  const folder = mkdtempSync(join(tmpdir(), 'semo-resources-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { proc: join(folder, 'proc'), cgroup: join(folder, 'cgroup') };
}

const MEMINFO = 'MemTotal:        8192 kB\nMemFree:          100 kB\nMemAvailable:    4096 kB\n';

describe('the memory of the machine', () => {
  it('is what Linux calls available', async () => {
    expect(await machineMemory(system({ 'proc/meminfo': MEMINFO }))).toEqual({
      totalBytes: 8 * MIB,
      freeBytes: 4 * MIB,
    });
  });

  it.each<{ version: number; files: Record<string, string> }>([
    {
      version: 2,
      files: {
        'proc/self/cgroup': '0::/box/inner\n',
        'cgroup/box/inner/memory.max': 'max\n',
        'cgroup/box/inner/memory.current': `${MIB}\n`,
        'cgroup/box/memory.max': `${3 * MIB}\n`,
        'cgroup/box/memory.current': `${2 * MIB}\n`,
        'cgroup/box/memory.stat': `anon 1\ninactive_file ${MIB / 2}\n`,
      },
    },
    {
      version: 1,
      files: {
        'proc/self/cgroup': '9:name=systemd:/\n4:memory:/box\n0::/\n',
        'cgroup/memory/box/memory.limit_in_bytes': `${3 * MIB}\n`,
        'cgroup/memory/box/memory.usage_in_bytes': `${2 * MIB}\n`,
        'cgroup/memory/box/memory.stat': `inactive_file 1\ntotal_inactive_file ${MIB / 2}\n`,
        'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
        'cgroup/memory/memory.usage_in_bytes': `${5 * MIB}\n`,
      },
    },
  ])('is that of the tightest control group, version $version, files in cache being free', async ({ files }) => {
    const memory = await machineMemory(system({ 'proc/meminfo': MEMINFO, ...files }));
    expect(memory).toEqual({ totalBytes: 3 * MIB, freeBytes: 1.5 * MIB });
  });

  it('is never less than nothing', async () => {
    const files = { 'cgroup/memory.max': '5', 'cgroup/memory.current': '9', 'proc/self/cgroup': '0::/\n' };
    expect((await machineMemory(system(files))).freeBytes).toBe(0);
  });

  it('is told on this machine', async () => {
    const { totalBytes, freeBytes } = await machineMemory();
    expect(totalBytes).toBeGreaterThan(64 * MIB);
    expect(freeBytes).toBeGreaterThan(0);
    expect(freeBytes).toBeLessThanOrEqual(totalBytes);
  });
});

describe.runIf(process.platform === 'linux')('what processes use', () => {
  it('is summed up over those that live', async () => {
    using real = new RealProcesses();
    const { pid, printed } = await real.shell('sleep 100 & echo $!; wait');
    const one = await sessionResources([pid]);
    const both = await sessionResources([pid, ...printed, pid, GONE]);
    expect([one.processes, both.processes]).toEqual([1, 2]);
    expect(one.pssBytes).toBeGreaterThan(0);
    expect(both.pssBytes).toBeGreaterThan(one.pssBytes);
    expect(both.rssBytes).toBeGreaterThan(both.pssBytes);
  });

  it('counts time on a processor, our own for instance', async () => {
    const { cpuMs, rssBytes } = await sessionResources([process.pid]);
    expect(cpuMs).toBeGreaterThan(0);
    expect(cpuMs).toBeLessThan(process.uptime() * 1000 * 16);
    expect(rssBytes).toBeGreaterThan(20 * MIB);
  });

  it('is nothing where nothing is', async () => {
    expect(await sessionResources([GONE])).toEqual({ pssBytes: 0, rssBytes: 0, cpuMs: 0, processes: 0 });
  });

  it('falls back on resident memory, and leaves the dead out', async () => {
    const stat = (state: string): string => `7 (a ) b) ${state} 1 7 7 0 -1 0 0 0 0 0 30 12 0 0 20 0 1 0 500 0 0`;
    const { proc } = system({
      'proc/7/stat': stat('S'),
      'proc/7/status': 'Name:\ta\nVmRSS:\t    1024 kB\n',
      'proc/8/stat': stat('Z'),
    });
    expect(await sessionResources([7, 8], { proc })).toEqual({
      pssBytes: MIB,
      rssBytes: MIB,
      cpuMs: 420,
      processes: 1,
    });
  });
});
