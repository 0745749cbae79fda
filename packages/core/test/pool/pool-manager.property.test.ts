import { expect, it } from 'vitest';

import { PoolRun } from './pool-run.ts';

const RUNS = 50;
const OPERATIONS = 2000;

it(`keeps its promises over ${RUNS * OPERATIONS} operations with faults`, { timeout: 60_000 }, async () => {
  const totals = { served: 0, refused: {} as Record<string, number>, most: 0 };
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const run = new PoolRun(seed);
    try {
      for (let operation = 0; operation < OPERATIONS; operation += 1) await run.step();
      await run.becomeQuiet();
      await run.close();
    } catch (thrown) {
      throw new Error(`Run ${seed} broke a promise.`, { cause: thrown });
    }
    totals.served += run.seen.served;
    totals.most = Math.max(totals.most, run.seen.most);
    for (const [code, times] of Object.entries(run.seen.refused))
      totals.refused[code] = (totals.refused[code] ?? 0) + times;
  }
  // It only says something if jobs were served, the pool was full, and calls failed in every way.
  expect(totals.served).toBeGreaterThan(5000);
  expect(totals.most).toBe(1);
  expect(Object.keys(totals.refused)).toEqual(
    expect.arrayContaining(['pool_timed_out', 'aborted', 'closed', 'capacity_exhausted', 'invalid_persona']),
  );
});
