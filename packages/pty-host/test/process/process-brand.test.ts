import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { brandedCommand, createBrand, readBrand } from '../../src/process/process-brand.ts';
import type { ProcessTable } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';
import { RealProcesses } from './real-processes.ts';

const limits = (soft: string, hard: string): string =>
  `Limit\nMax msgqueue size         ${soft}               ${hard}               bytes     \n`;

describe('process brand', () => {
  it.each(['prlimit', 'bash'] as const)('set by %s survives setsid, env -i and a double fork', async (kind) => {
    using real = new RealProcesses();
    const tools = join(real.folder, kind);
    symlinkSync(`/usr/bin/${kind}`, tools);
    const brand = await createBrand(table, { path: `relative::${real.folder}` });
    expect(brand?.tool.kind).toBe(kind);
    const { pid, printed } = await real.shell("(setsid env -i sh -c 'echo $$; exec sleep 100' &)", {
      wrap: (command) => brandedCommand(brand, command),
      tag: false,
    });
    expect(readBrand(table.limits(printed[0] ?? 0))).toBe(brand?.softLimit);
    expect(printed[0]).not.toBe(pid);
  });

  it('keeps the process id and the exit status of the command', async () => {
    using real = new RealProcesses();
    const brand = await createBrand(table);
    const { pid, printed } = await real.shell('echo $$; sleep 100', {
      wrap: (command) => brandedCommand(brand, command),
    });
    expect(printed).toEqual([pid]);
  });

  it('is a different one every time', async () => {
    const brands = await Promise.all(Array.from({ length: 20 }, () => createBrand(table)));
    expect(new Set(brands.map((brand) => brand?.softLimit)).size).toBe(20);
    for (const brand of brands)
      expect(brand?.softLimit).toSatisfy((soft: number) => soft >= 400_000 && soft <= 819_199);
  });

  it('is none without a tool, without limits, and below a low hard limit', async () => {
    using real = new RealProcesses();
    writeFileSync(join(real.folder, 'prlimit'), '');
    chmodSync(join(real.folder, 'prlimit'), 0o600);
    const withLimits = (text: string | null): ProcessTable => ({ ...table, limits: () => text });
    expect(await createBrand(table, { path: '/nonexistent' })).toBeNull();
    expect(await createBrand(withLimits(null))).toBeNull();
    expect(await createBrand(withLimits(limits('1000', '400010')))).toBeNull();
    expect(await createBrand(withLimits(limits('unlimited', 'unlimited')))).not.toBeNull();
    expect(brandedCommand(null, ['a', 'b'])).toEqual(['a', 'b']);
  });

  it('is none when every one of the few is taken', async () => {
    const crowded: ProcessTable = {
      ...table,
      scan: () =>
        Promise.resolve({ entries: [], pids: new Set(Array.from({ length: 100 }, (_value, index) => index + 1)) }),
      limits: (pid) => limits(String(400_000 + pid - 1), '400051'),
    };
    expect(await createBrand(crowded)).toBeNull();
  });

  it('is read from the soft limit', () => {
    expect(readBrand(limits('456789', '819200'))).toBe(456_789);
    expect(readBrand(limits('unlimited', 'unlimited'))).toBeNull();
    expect(readBrand(null)).toBeNull();
  });
});
