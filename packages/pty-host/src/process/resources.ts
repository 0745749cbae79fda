import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';

/** Linux tells times to programs in hundredths of a second, whatever its own timer does. */
const MS_PER_TICK = 10;
const KIBIBYTE = 1024;
const STATE_FIELDS_BEFORE_UTIME = 11;

/** Where the system tells; tests have folders of their own. */
export interface SystemFolders {
  /** Default `/proc`. */
  readonly proc?: string | undefined;
  /** Default `/sys/fs/cgroup`. */
  readonly cgroup?: string | undefined;
}

/** The memory of this machine, or of the container we are in when that has less. */
export interface MachineMemory {
  readonly totalBytes: number;
  /** What programs could still be given without anything being swapped out. */
  readonly freeBytes: number;
}

/** What the processes of a session use. */
export interface SessionResources {
  /** Memory, with what several processes share counted once: the sum is what would be freed. */
  readonly pssBytes: number;
  /** Memory, with what is shared counted for each: always at least `pssBytes`. */
  readonly rssBytes: number;
  /** Time on a processor since they began, without that of children which have ended. */
  readonly cpuMs: number;
  /** How many of them are alive. */
  readonly processes: number;
}

/**
 * What memory there is: `MemAvailable` on Linux, and the limits of the control groups we are in (version 1 and 2), the
 * tightest of them. Elsewhere what the system calls free.
 *
 * @example
 * ```ts
 * const admission = memoryAdmission({ freeBytes: async () => (await machineMemory()).freeBytes, perSessionBytes });
 * ```
 */
export async function machineMemory(folders: SystemFolders = {}): Promise<MachineMemory> {
  const { proc = '/proc', cgroup = '/sys/fs/cgroup' } = folders;
  const meminfo = await textOf(join(proc, 'meminfo'));
  const known = [
    {
      totalBytes: kibibytes(meminfo, 'MemTotal') ?? totalmem(),
      freeBytes: kibibytes(meminfo, 'MemAvailable') ?? freemem(),
    },
    ...(await groupMemories(proc, cgroup)),
  ];
  return {
    totalBytes: Math.min(...known.map(({ totalBytes }) => totalBytes)),
    freeBytes: Math.max(0, Math.min(...known.map(({ freeBytes }) => freeBytes))),
  };
}

/**
 * What these processes use together, those that are gone left out. Linux only: elsewhere all is 0. One look costs up to a
 * few milliseconds a process, since the kernel goes through all its memory: not for every second.
 *
 * @example
 * ```ts
 * const { pssBytes } = await sessionResources((await tree.members()).map(({ pid }) => pid));
 * ```
 */
export async function sessionResources(
  pids: readonly number[],
  { proc = '/proc' }: SystemFolders = {},
): Promise<SessionResources> {
  let sum: SessionResources = { pssBytes: 0, rssBytes: 0, cpuMs: 0, processes: 0 };
  for (const pid of new Set(pids)) {
    // One after the other: the kernel holds the process's memory map while it counts.
    const one = await processResources(join(proc, String(pid)));
    if (one === null) continue;
    sum = {
      pssBytes: sum.pssBytes + one.pssBytes,
      rssBytes: sum.rssBytes + one.rssBytes,
      cpuMs: sum.cpuMs + one.cpuMs,
      processes: sum.processes + 1,
    };
  }
  return sum;
}

async function processResources(folder: string): Promise<Omit<SessionResources, 'processes'> | null> {
  const stat = await textOf(join(folder, 'stat'));
  if (stat === null) return null;
  // The name may hold spaces and brackets: fields count from the last `)`.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  const [utime, stime] = fields.slice(STATE_FIELDS_BEFORE_UTIME).map(Number);
  const rollup = await textOf(join(folder, 'smaps_rollup'));
  // What we may not look into tells at least how much is resident.
  const rssBytes = kibibytes(rollup, 'Rss') ?? kibibytes(await textOf(join(folder, 'status')), 'VmRSS') ?? 0;
  return {
    pssBytes: kibibytes(rollup, 'Pss') ?? rssBytes,
    rssBytes,
    cpuMs: ((utime ?? 0) + (stime ?? 0)) * MS_PER_TICK,
  };
}

/** The limits of our control groups and of all above them. */
async function groupMemories(proc: string, cgroup: string): Promise<MachineMemory[]> {
  const lines = ((await textOf(join(proc, 'self', 'cgroup'))) ?? '').split('\n');
  const memories: MachineMemory[] = [];
  for (const line of lines) {
    const [, controllers, path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined) continue;
    const files = controllers === '' ? VERSION_2 : controllers.split(',').includes('memory') ? VERSION_1 : null;
    if (files === null) continue;
    for (const folder of upwards(path)) {
      const memory = await groupMemory(join(cgroup, files.below, folder), files);
      if (memory !== null) memories.push(memory);
    }
  }
  return memories;
}

interface GroupFiles {
  readonly below: string;
  readonly limit: string;
  readonly used: string;
  readonly cache: RegExp;
}

const VERSION_2: GroupFiles = {
  below: '',
  limit: 'memory.max',
  used: 'memory.current',
  cache: /^inactive_file (\d+)$/m,
};
const VERSION_1: GroupFiles = {
  below: 'memory',
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  cache: /^total_inactive_file (\d+)$/m,
};

async function groupMemory(folder: string, { limit, used, cache }: GroupFiles): Promise<MachineMemory | null> {
  const [limitText, usedText, stat] = await Promise.all(
    [limit, used, 'memory.stat'].map((name) => textOf(join(folder, name))),
  );
  const totalBytes = count(limitText);
  const usedBytes = count(usedText);
  // `max`, or a file that is not there: no limit here.
  if (totalBytes === null || usedBytes === null) return null;
  // Files that were read and are not in use are counted as used, and are let go as soon as memory is needed.
  const cached = count(cache.exec(stat ?? '')?.[1] ?? '0') ?? 0;
  return { totalBytes, freeBytes: totalBytes - usedBytes + cached };
}

/** A group and those above it. Within a container the path may be the host's, and only the root is there. */
function upwards(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return Array.from({ length: names.length + 1 }, (_, above) => names.slice(0, names.length - above).join('/'));
}

function count(text: string | null | undefined): number | null {
  const trimmed = text?.trim() ?? '';
  return /^\d+$/.test(trimmed) ? Number(trimmed) : null;
}

function kibibytes(text: string | null, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1];
  return found === undefined ? null : Number(found) * KIBIBYTE;
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'latin1').catch(() => null);
}
