import { describe, expect, it } from 'vitest';

import type { ProcessScan, ProcessTable } from '../../src/process/process-table.ts';
import { ProcessWatch } from '../../src/process/process-watch.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';

describe('ProcessWatch', () => {
  it('looks at the interval while somebody watches, each process once', async () => {
    const scheduled: { delayMs: number; run: () => void; cancelled: boolean }[] = [];
    const clock = {
      now: Date.now,
      schedule: (delayMs: number, run: () => void) => {
        const entry = { delayMs, run, cancelled: false };
        scheduled.push(entry);
        return () => (entry.cancelled = true);
      },
    };
    const watch = new ProcessWatch({ table, clock, intervalMs: 70 });
    const scans: ProcessScan[] = [];
    const look = Promise.withResolvers<void>();
    const cancel = watch.add((scan) => {
      scans.push(scan);
      look.resolve();
    });
    const cancelOther = watch.add(() => {});
    expect(scheduled).toMatchObject([{ delayMs: 70 }]);
    scheduled[0]?.run();
    await look.promise;
    await watch.look();
    expect(scans[0]?.entries.some(({ pid }) => pid === process.pid)).toBe(true);
    expect(scans[1]?.entries.some(({ pid }) => pid === process.pid)).toBe(false);
    expect(scheduled).toHaveLength(2);
    cancel();
    expect(scheduled[1]?.cancelled).toBe(false);
    cancelOther();
    expect(scheduled[1]?.cancelled).toBe(true);
  });

  it('outlives a look that fails', async () => {
    const failing: ProcessTable = { ...table, scan: () => Promise.reject(new Error('EMFILE')) };
    const watch = new ProcessWatch({ table: failing });
    watch.add(() => {})();
    await expect(watch.look()).resolves.toBeUndefined();
  });
});
