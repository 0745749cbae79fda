import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

import { sendSignal, type ProcessEntry, type ProcessScan, type ProcessTable } from './process-table.ts';
import { sharedLook } from './shared-look.ts';

// A look at one process takes about 20 µs; after this many the event loop gets its turn, so that terminals keep echoing.
const LOOKS_PER_TURN = 25;
const KERNEL_THREADS_PARENT = 2;
/** Files of `/proc` tell no size, so `readFileSync` would take 64 KiB for each; they have one or two. */
const shared = Buffer.alloc(16 * 1024);

/** The processes of a Linux machine, read from `/proc`. */
export function createProcProcessTable(): ProcessTable {
  const wholeScan = sharedLook(() => scan());
  return {
    scan: (except) => (except === undefined ? wholeScan() : scan(except)),
    find,
    environment: (pid) => attempt(() => readFileSync(`/proc/${pid}/environ`)),
    workingFolder: (pid) => attempt(() => readlinkSync(`/proc/${pid}/cwd`)),
    limits: (pid) => attempt(() => readProcFile(`/proc/${pid}/limits`)),
    innerPid: (pid) => readInnerPid(attempt(() => readProcFile(`/proc/${pid}/status`)) ?? ''),
    children: (pid) => numbers(attempt(() => readProcFile(`/proc/${pid}/task/${pid}/children`)) ?? ''),
    signal: sendSignal,
    machine: {
      hostname: hostname(),
      bootId: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()) ?? '',
      pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')) ?? '',
    },
  };
}

async function scan(except?: ReadonlySet<number>): Promise<ProcessScan> {
  const pids = readdirSync('/proc')
    .filter((name) => name >= '1' && name < ':')
    .map(Number)
    .sort((a, b) => a - b);
  const entries: ProcessEntry[] = [];
  let looks = 0;
  for (const pid of pids) {
    if (except?.has(pid) === true) continue;
    const entry = find(pid);
    if (entry !== null) entries.push(entry);
    looks += 1;
    if (looks % LOOKS_PER_TURN === 0) await new Promise(setImmediate);
  }
  return { pids: new Set(pids), entries };
}

function find(pid: number): ProcessEntry | null {
  const stat = attempt(() => readProcFile(`/proc/${pid}/stat`));
  const entry = stat === null ? null : parseStat(pid, stat);
  if (entry === null) return null;
  const uid = ownerOf(pid, entry.ppid);
  return uid === null ? null : { ...entry, uid };
}

/**
 * Reads a line of `/proc/<pid>/stat`. The name in it may hold spaces and brackets, so fields count from the last `)`.
 */
export function parseStat(pid: number, stat: string): Omit<ProcessEntry, 'uid'> | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', ppid, pgid, sid] = fields;
  const startTime = Number(fields[19]);
  if (stat === '' || state === '' || !Number.isFinite(startTime)) return null;
  return { pid, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), startTime, state };
}

/** `NSpid` has a number for each namespace, ours first, the process's own last. */
export function readInnerPid(status: string): number | null {
  const [, line = ''] = /^NSpid:\t(.*)$/m.exec(status) ?? [];
  const [, ...below] = numbers(line);
  return below.at(-1) ?? null;
}

function numbers(text: string): number[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}

/** Root owns the folder of a process that forbids being looked into (ssh-agent does), whoever runs it: ask further. */
function ownerOf(pid: number, ppid: number): number | null {
  const owner = attempt(() => statSync(`/proc/${pid}`).uid);
  if (owner !== 0 || process.getuid?.() === 0 || pid === KERNEL_THREADS_PARENT || ppid === KERNEL_THREADS_PARENT)
    return owner;
  const status = attempt(() => readProcFile(`/proc/${pid}/status`));
  const real = /^Uid:\s+(\d+)/m.exec(status ?? '')?.[1];
  return real === undefined ? owner : Number(real);
}

function readProcFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < shared.length; length += read) {
      read = readSync(file, shared, length, shared.length - length, null);
    }
    return shared.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}

function attempt<Value>(look: () => Value): Value | null {
  try {
    return look();
  } catch {
    return null;
  }
}
