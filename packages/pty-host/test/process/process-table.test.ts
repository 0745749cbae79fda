import { realpathSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { createProcProcessTable, parseStat } from '../../src/process/proc-process-table.ts';
import { identify, isAlive, type ProcessTable } from '../../src/process/process-table.ts';
import { createPsProcessTable, parsePs } from '../../src/process/ps-process-table.ts';
import { RealProcesses } from './real-processes.ts';

const GONE = 2 ** 22 + 1;

const tables: readonly (readonly [string, ProcessTable])[] = [
  ['/proc', createProcProcessTable()],
  ['ps', createPsProcessTable()],
];

describe.each(tables)('process table from %s', (_name, table) => {
  it('lists processes with parent, group, session and owner', async () => {
    using real = new RealProcesses();
    const { pid, printed } = await real.shell('sleep 100 & echo $!; wait');
    const { pids, entries } = await table.scan();
    expect(pids.has(pid)).toBe(true);
    expect(entries.find((entry) => entry.pid === printed[0])).toMatchObject({
      ppid: pid,
      pgid: pid,
      sid: pid,
      uid: process.getuid?.(),
      state: expect.stringMatching(/^[RSD]$/) as string,
    });
    expect(entries.map((entry) => entry.pid)).toEqual(entries.map((entry) => entry.pid).toSorted((a, b) => a - b));
  });

  it('leaves out what it is asked to leave out', async () => {
    const { pids, entries } = await table.scan(new Set([process.pid]));
    expect(pids.has(process.pid)).toBe(true);
    expect(entries.some(({ pid }) => pid === process.pid)).toBe(false);
  });

  it('identifies a process and knows when it is gone', async () => {
    const self = identify(table, process.pid);
    expect(self).toMatchObject({ pid: process.pid });
    expect(self !== null && isAlive(table, self)).toBe(true);
    expect(self !== null && isAlive(table, { ...self, startTime: self.startTime - 1 })).toBe(false);
    expect(identify(table, GONE)).toBeNull();
    expect(table.signal(GONE, 'SIGTERM')).toBe(false);
  });

  it('answers null for what it cannot tell', () => {
    expect(table.environment(GONE)).toBeNull();
    expect(table.workingFolder(GONE)).toBeNull();
    expect(table.limits(GONE)).toBeNull();
  });
});

describe('the details', () => {
  it('/proc tells environment, folder, limits and the machine', async () => {
    using real = new RealProcesses();
    const table = createProcProcessTable();
    const { pid } = await real.shell('echo 0; sleep 100', { cwd: real.folder });
    expect(Buffer.from(table.environment(pid) ?? []).toString()).toContain(`SEMO_SESSION_ID=${real.sessionId}\0`);
    expect(table.workingFolder(pid)).toBe(realpathSync(real.folder));
    expect(table.limits(pid)).toContain('Max msgqueue size');
    expect(table.machine.bootId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('reads names with spaces and brackets, and nothing from a line that was cut off', () => {
    const tail = Array.from({ length: 20 }, (_value, index) => index).join(' ');
    expect(parseStat(5, `5 (a) b (c)) S 1 2 3 ${tail}`)).toEqual({
      pid: 5,
      state: 'S',
      ppid: 1,
      pgid: 2,
      sid: 3,
      startTime: 15,
    });
    expect(parseStat(5, '5 (a) S 1')).toBeNull();
    expect(parseStat(5, '')).toBeNull();
  });

  it('reads what ps prints, also a session that is an address', () => {
    const output =
      '  70     1    70 cafe00 501 Ss   Tue Jan  2 03:04:05 2024\nnonsense\n   3   1 3 0 0 R Tue Jan  2 03:04:06 2024\n';
    expect(parsePs(output)).toEqual([
      { pid: 3, ppid: 1, pgid: 3, sid: 0, uid: 0, state: 'R', startTime: 1704164646 },
      { pid: 70, ppid: 1, pgid: 70, sid: 0, uid: 501, state: 'S', startTime: 1704164645 },
    ]);
  });
});
