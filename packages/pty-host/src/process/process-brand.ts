import { randomInt } from 'node:crypto';
import { delimiter } from 'node:path';

import { findProgram } from '../program-path.ts';
import type { ProcessTable } from './process-table.ts';
import { sharedLook } from './shared-look.ts';

// Below the kernel's default of 819 200, so that no unbranded process is mistaken for a branded one, and far above
// what the POSIX message queues of a coding agent take.
const LOWEST = 400_000;
const HIGHEST = 819_199;
const ATTEMPTS = 50;

/**
 * A resource limit as a tag that cannot be washed off by accident: the soft limit on message queues (RLIMIT_MSGQUEUE)
 * is inherited by every descendant, through `fork`, `setsid`, `nohup` and `env -i`, and `/proc/<pid>/limits` shows it.
 */
export interface ProcessBrand {
  /** The soft limit in bytes; no other living process had it when the brand was made. */
  readonly softLimit: number;
  /** What sets it before the agent starts, in the same process. */
  readonly tool: { readonly kind: 'prlimit' | 'bash'; readonly path: string };
}

/** Two sessions may be made before the first process of either shows its brand. */
const issued = new Set<number>();

/**
 * A brand no living process bears, or `null` where there is no `/proc`, no tool to set it with, or too low a hard limit.
 *
 * @example
 * ```ts
 * const brand = await createBrand(systemProcessTable);
 * spawn(...brandedCommand(brand, ['claude']));
 * ```
 */
export async function createBrand(
  table: ProcessTable,
  { path = process.env['PATH'] ?? '' }: { readonly path?: string | undefined } = {},
): Promise<ProcessBrand | null> {
  const tool = findTool(path);
  const highest = Math.min(HIGHEST, (hardLimit(table) ?? 0) - 1);
  if (tool === null || highest < LOWEST + ATTEMPTS) return null;
  const taken = await lookFor(table)();
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const softLimit = randomInt(LOWEST, highest + 1);
    if (taken.has(softLimit) || issued.has(softLimit)) continue;
    issued.add(softLimit);
    return { softLimit, tool };
  }
  return null;
}

/** The command that sets the brand and then becomes the given one, with the same process id. */
export function brandedCommand(brand: ProcessBrand | null, command: readonly string[]): string[] {
  if (brand === null) return [...command];
  const { softLimit, tool } = brand;
  if (tool.kind === 'prlimit') return [tool.path, `--msgqueue=${softLimit}:`, '--', ...command];
  return [tool.path, '--noprofile', '--norc', '-c', `ulimit -S -q ${softLimit}; exec "$@"`, 'semo', ...command];
}

/** The soft message queue limit in the text of `/proc/<pid>/limits`, or `null` if it is unlimited or not told. */
export function readBrand(limitsText: string | null): number | null {
  const soft = MSGQUEUE.exec(limitsText ?? '')?.[1];
  return soft === undefined ? null : Number(soft);
}

const MSGQUEUE = /^Max msgqueue size +(\d+)/m;
const MSGQUEUE_HARD = /^Max msgqueue size +\S+ +(\d+|unlimited)/m;

function hardLimit(table: ProcessTable): number | null {
  const hard = MSGQUEUE_HARD.exec(table.limits(process.pid) ?? '')?.[1];
  if (hard === undefined) return null;
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Many sessions may be opened at once, and each look reads a file of every process. */
const looks = new WeakMap<ProcessTable, () => Promise<Set<number>>>();

function lookFor(table: ProcessTable): () => Promise<Set<number>> {
  const look = looks.get(table) ?? sharedLook(() => livingBrands(table));
  looks.set(table, look);
  return look;
}

async function livingBrands(table: ProcessTable): Promise<Set<number>> {
  const { pids } = await table.scan();
  const brands = new Set<number>();
  for (const pid of pids) {
    const brand = readBrand(table.limits(pid));
    if (brand !== null) brands.add(brand);
  }
  return brands;
}

function findTool(searchPath: string): ProcessBrand['tool'] | null {
  for (const kind of ['prlimit', 'bash'] as const) {
    const path = findProgram(kind, searchPath.split(delimiter));
    if (path !== null) return { kind, path };
  }
  return null;
}
