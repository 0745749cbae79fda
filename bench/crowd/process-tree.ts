import { readFileSync, readdirSync } from 'node:fs';

/** All living descendants of a process, children before grandchildren; Linux only. */
export function descendants(root: number = process.pid): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(name) : null;
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found.slice(1);
}

/** The memory of these processes in bytes, each page that several share divided among them. Those that are gone count nothing. */
export function proportionalBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
    return sum + Number(kilobytes ?? 0) * 1024;
  }, 0);
}

/** The processor time these processes have taken so far, in milliseconds, without that of children that are gone. */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const [user = 0, system = 0] = statFields(String(pid))?.slice(11, 13).map(Number) ?? [];
    return sum + (user + system) * 10;
  }, 0);
}

/** How many descriptors this process holds. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function parentOf(pid: string): number | null {
  const [state, parent] = statFields(pid) ?? ['Z'];
  return state === 'Z' ? null : Number(parent);
}

/** What follows the name, which may hold spaces: the first is the state. */
function statFields(pid: string): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
