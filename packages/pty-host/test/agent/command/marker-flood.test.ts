import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { MarkerWatch } from '../../../src/agent/command/marker-watch.ts';
import { ReadingBudget } from '../../../src/agent/command/reading-budget.ts';

const MARKER = 'SEMO-DONE-0123456789abcdef01234567';
const MEGABYTE = Buffer.from(`${'x'.repeat(99)}\n`.repeat(10_486));

async function watch(prompt = 'go') {
  const clock = new FakeClock();
  const found: number[] = [];
  const lines: string[] = [];
  const marks = new MarkerWatch({
    marker: MARKER,
    variable: 'SEMO_DONE_MARKER',
    clock,
    screen: null,
    onLine: ({ text }) => lines.push(text),
    onMarker: (offset) => found.push(offset),
  });
  await marks.begin(prompt);
  let offset = 0;
  const print = (text: string | Buffer) => {
    const bytes = Buffer.from(text);
    marks.read(bytes, offset);
    offset += bytes.length;
  };
  return { clock, found, lines, print };
}

describe('a flood of output', () => {
  it('does not hide a marker in it', async () => {
    const { found, print } = await watch();
    for (let round = 0; round < 4; round += 1) print(MEGABYTE);
    print(`x ${MARKER}\n`);
    expect(found).toHaveLength(1);
  });

  it('does not hide a broken marker at its end, nor its last lines', async () => {
    const { clock, found, lines, print } = await watch();
    for (let round = 0; round < 4; round += 1) print(MEGABYTE);
    print(`the last line\n${MARKER.slice(0, 20)}\n${MARKER.slice(20)}\n`);
    expect(found).toEqual([]);
    clock.advance(2000);
    expect(lines).toContain('the last line');
    expect(found).toHaveLength(1);
  });

  it('is read closely up to a budget that comes back with time', () => {
    const clock = new FakeClock();
    const budget = new ReadingBudget(clock);
    expect(budget.take(1024 * 1024)).toBe(true);
    expect(budget.take(4096)).toBe(false);
    clock.advance(2);
    expect(budget.take(4096)).toBe(true);
  });
});
