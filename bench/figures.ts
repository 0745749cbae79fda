/** The values of several rounds in short. */
export interface Figures {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** The value below which `share` of all values lie, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle value; of two in the middle, the mean. */
export function median(values: readonly number[]): number {
  return (percentile(values, 0.5) + percentile(values, 0.5 + 1e-9)) / 2;
}

/** Sums up one value a round. */
export function figures(values: readonly number[]): Figures {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), rounds: values.length };
}
