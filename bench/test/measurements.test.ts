import { describe, expect, test } from 'vitest';

import { percentile } from '../figures.ts';
import { isMet } from '../measurement.ts';
import { measurements } from '../measurements.ts';
import { reportTable } from '../report-table.ts';
import { interleaved, medianInterval } from '../turns/paired-figures.ts';
import { onlyIn } from '../turns/start-difference.ts';

/** One needs a network; of the others, the transport's own tests do the same, with an eye on what comes of it. */
const ELSEWHERE = new Set(['turns-beside-sdk', 'supabase-tokens', 'supabase-reconnects']);

// That the code of the measurements lives. Figures depend on the machine: none is asserted.
describe('measurements', () => {
  const here = Object.entries(measurements).filter(([name]) => !ELSEWHERE.has(name));
  test.for(here)('%s runs and reports', async ([, measurement]) => {
    const { rows, targets } = await measurement.run('tiny');
    expect(rows.length).toBeGreaterThan(0);
    for (const { figures } of rows) {
      expect(Number.isFinite(figures.median)).toBe(true);
      expect(figures.min).toBeLessThanOrEqual(figures.max);
    }
    for (const { value } of targets) expect(Number.isFinite(value)).toBe(true);
    expect(reportTable({ rows, targets }).split('\n')).toHaveLength(rows.length + targets.length + 1);
  });
});

describe('pairs', () => {
  test('are taken in the order ours, theirs, theirs, ours', async () => {
    const order: string[] = [];
    const take = (side: string, time: number) => {
      order.push(side);
      return Promise.resolve(time);
    };
    const pairs = await interleaved(3, { ours: () => take('ours', 1), theirs: () => take('theirs', 2) });
    expect(order).toEqual(['ours', 'theirs', 'theirs', 'ours', 'ours', 'theirs']);
    expect(pairs).toEqual([1, 2, 3].map(() => ({ ours: 1, theirs: 2 })));
  });

  test('a median lies in an interval that more values make narrower', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    // Of 200 values, 86 to 114 lie below the median in at least 95 % of cases.
    expect(medianInterval(values)).toEqual({ median: 100.5, low: 86, high: 115 });
    expect(medianInterval([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
  });

  test('tell what only one of two starts has', () => {
    const ours = {
      args: ['--print', '--permission-mode', 'default', '--settings=/tmp/a.json'],
      variables: ['PATH', 'OWN'],
    };
    const theirs = { args: ['--permission-mode=default', '--settings', '/tmp/b.json'], variables: ['PATH'] };
    expect(onlyIn(ours, theirs)).toBe('--print, OWN');
    expect(onlyIn(theirs, ours)).toBe('nothing');
  });
});

describe('figures', () => {
  test('percentiles are values that occurred', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
  });

  test('a promise is kept up to its very limit', () => {
    const target = { what: 'rate', unit: 'MB/s', value: 20 };
    expect(isMet({ ...target, promised: { atLeast: 20 } })).toBe(true);
    expect(isMet({ ...target, promised: { atMost: 19 } })).toBe(false);
    expect(isMet({ ...target, value: Number.NaN, promised: { atMost: 19 } })).toBe(false);
  });
});
