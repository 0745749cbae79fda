import { median } from '../figures.ts';

/** A middle value, and between which two it lies with 95 % confidence. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** 97.5 % of a normal distribution lie below this many deviations. */
const DEVIATIONS = 1.96;

/**
 * The median with its 95 % interval from order statistics: how many of n values lie below the true median is binomial,
 * whatever the values' distribution.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const sorted = values.toSorted((left, right) => left - right);
  const reach = (DEVIATIONS * Math.sqrt(sorted.length)) / 2;
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach) - 1);
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach));
  return { median: median(values), low: sorted[low] ?? Number.NaN, high: sorted[high] ?? Number.NaN };
}

/** Two times taken one right after the other. */
export interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

/** What one of `take` and the other gives, in turns: ours first, theirs first, theirs first, ours first … */
export async function interleaved(
  pairs: number,
  { ours, theirs }: { readonly ours: () => Promise<number>; readonly theirs: () => Promise<number> },
): Promise<Pair[]> {
  const taken: Pair[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    if (pair % 2 === 0) {
      const first = await ours();
      taken.push({ ours: first, theirs: await theirs() });
    } else {
      const first = await theirs();
      taken.push({ ours: await ours(), theirs: first });
    }
  }
  return taken;
}
