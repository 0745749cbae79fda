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

/** Something that is measured. */
export interface Measurement {
  readonly title: string;
  run(scale: Scale): Promise<Report>;
}

/** Whether a promise is kept. */
export function isMet({ value, promised }: Target): boolean {
  return 'atLeast' in promised ? value >= promised.atLeast : value <= promised.atMost;
}
