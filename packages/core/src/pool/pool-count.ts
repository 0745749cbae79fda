import { assertNever } from '../errors.ts';
import type { PoolEntry } from './pool-entry.ts';
import type { PoolCounts, PoolRow, PoolStatus, PoolTotals } from './pool-status.ts';

/** What {@link poolStatus} counts. */
export interface StatusParts {
  readonly now: number;
  readonly max: number;
  readonly entries: Iterable<Pick<PoolEntry, 'key' | 'role' | 'origin' | 'state'>>;
  readonly waiters: readonly {
    readonly since: number;
    readonly request: { readonly key: string; readonly role: string };
  }[];
  readonly targets: readonly { readonly key: string; readonly role: string; readonly count: number }[];
  readonly totals: PoolTotals;
}

type Counts = { -readonly [Name in keyof PoolCounts]: number };

const noCounts = (): Counts => ({ opening: 0, warmIdle: 0, coldIdle: 0, inUse: 0, ending: 0, waiting: 0 });

/** Counts what a pool holds. */
export function poolStatus({ now, max, entries, waiters, targets, totals }: StatusParts): PoolStatus {
  const all = noCounts();
  const rows = new Map<string, Counts & { key: string; role: string; target: number }>();
  const rowOf = ({ key, role }: { readonly key: string; readonly role: string }) => {
    const row = rows.get(key) ?? { key, role, target: 0, ...noCounts() };
    rows.set(key, row);
    return row;
  };
  for (const target of targets) rowOf(target).target += target.count;
  for (const entry of entries) {
    const name = countOf(entry);
    all[name] += 1;
    rowOf(entry)[name] += 1;
  }
  for (const { request } of waiters) rowOf(request).waiting += 1;
  const oldest = waiters.reduce<number | null>((age, { since }) => Math.max(age ?? 0, now - since), null);
  const sorted = [...rows.values()].toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  return { max, ...all, waiting: waiters.length, oldestWaitMs: oldest, rows: sorted, totals: structuredClone(totals) };
}

const nameOf = ({ role, key }: PoolRow): string => `${role}\0${key}`;

function countOf({ state, origin }: Pick<PoolEntry, 'state' | 'origin'>): keyof PoolCounts {
  switch (state.kind) {
    case 'opening':
    case 'readying':
      return 'opening';
    case 'idle':
      return origin === 'warm' ? 'warmIdle' : 'coldIdle';
    case 'offered':
    case 'in_use':
      return 'inUse';
    case 'ending':
      return 'ending';
    default:
      return assertNever(state);
  }
}
