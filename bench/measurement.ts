import type { Figures } from './figures.ts';

/** How much is measured: `full` for figures, `tiny` to see in seconds that everything still runs. */
export type Scale = 'full' | 'tiny';

/** One line of a measurement's table. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  /** One value a round. */
  readonly figures: Figures;
}

/** A figure that the project promises, and what came out. */
export interface Target {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly promised: { readonly atLeast: number } | { readonly atMost: number };
}

/** What one measurement found. */
export interface Report {
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
}

/** What can be said of a run beside its scale. */
export interface RunOptions {
  /** How many pairs are compared, where a measurement compares pairs. Default: its own number. */
  readonly pairs?: number | undefined;
}

/** Something that is measured. */
export interface Measurement {
  readonly title: string;
  /** Only where it is asked for: it needs something from outside, or very long. Default false. */
  readonly byNameOnly?: boolean;
  run(scale: Scale, options?: RunOptions): Promise<Report>;
}

/** Whether a promise is kept. */
export function isMet({ value, promised }: Target): boolean {
  return 'atLeast' in promised ? value >= promised.atLeast : value <= promised.atMost;
}
