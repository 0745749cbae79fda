import { describe, expect, test } from 'vitest';

import { percentile } from '../figures.ts';
import { isMet } from '../measurement.ts';
import { measurements } from '../measurements.ts';
import { reportTable } from '../report-table.ts';

// That the code of the measurements lives. Figures depend on the machine: none is asserted.
describe('measurements', () => {
  test.for(Object.entries(measurements))('%s runs and reports', async ([, measurement]) => {
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
