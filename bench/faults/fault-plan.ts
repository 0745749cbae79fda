import { numbersFrom } from '../seeded-numbers.ts';
import type { FaultOptions } from './fault-options.ts';

/** How often each kind of fault comes among twenty. */
const SHARES = {
  /** Every connection to Realtime is cut. */
  sockets_dropped: 4,
  /** Half of the broadcasts are lost. */
  broadcasts_lost: 2,
  /** Most broadcasts come twice, late and out of order. */
  broadcasts_doubled: 2,
  realtime_down: 1,
  /** REST answers by a status of its own, and does nothing. */
  rest_refused: 3,
  /** REST cuts the connection, before or after it has done what was asked. */
  rest_cut: 2,
  postgres_restarted: 1,
  host_killed: 3,
  /** A host stands still for longer than its lease. */
  host_paused: 2,
} as const;

export type FaultKind = keyof typeof SHARES;

export const FAULT_KINDS = Object.keys(SHARES) as readonly FaultKind[];

/** One fault. What of it means nothing for its kind is not looked at. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** After the first command, in milliseconds. */
  readonly atMs: number;
  /** For how long, in milliseconds; of a killed host: how long it stays away. */
  readonly forMs: number;
  /** The number of the host it is for. */
  readonly host: number;
  /** Decides the rest: a status, the fate of each broadcast. */
  readonly seed: number;
}

/** The faults of a run, as many as are asked for: first one of each kind, then by their shares. The same seed gives the same ones. Pure. */
export function* faultPlan(options: FaultOptions): Generator<PlannedFault, void> {
  const random = numbersFrom(options.seed);
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  const hand = FAULT_KINDS.flatMap((kind) => Array.from({ length: SHARES[kind] }, () => kind));
  let number = 0;
  for (let kinds: readonly FaultKind[] = FAULT_KINDS; ; kinds = hand) {
    for (const kind of shuffled(kinds, random)) {
      if (number === options.faults && number > 0) return;
      number += 1;
      const [least, most] = durations(kind, options);
      yield {
        kind,
        atMs: number * options.everyMs,
        forMs: between(least, most),
        host: between(1, options.hosts),
        seed: between(1, 2 ** 31),
      };
    }
  }
}

function durations(kind: FaultKind, { leaseMs, realtimeDownMs }: FaultOptions): readonly [least: number, most: number] {
  switch (kind) {
    case 'broadcasts_lost':
    case 'broadcasts_doubled':
      return [1000, 4000];
    case 'realtime_down':
      return [realtimeDownMs, realtimeDownMs];
    case 'rest_refused':
      return [200, 1500];
    case 'rest_cut':
      return [100, 800];
    case 'host_killed':
      return [50, 1500];
    case 'host_paused':
      return [leaseMs + 500, leaseMs + 2500];
    default:
      return [0, 0];
  }
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ item }) => item);
}
