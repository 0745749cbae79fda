import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as pause } from 'node:timers/promises';

/** Memory of this process in bytes. */
export interface ProcessMemory {
  /** What our objects take: the heap in use, and buffers outside it. */
  readonly ours: number;
  /** What the system says the process holds, free parts of the heap included. */
  readonly resident: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Memory as it is now. */
export function memoryNow(): ProcessMemory {
  const { heapUsed, external, rss } = process.memoryUsage();
  // `external` has the array buffers in it.
  return { ours: heapUsed + external, resident: rss };
}

/** Collections in a row that must find nothing more to free: code that is no longer used goes only after several. */
const IDLE_COLLECTIONS = 5;
const MOST_COLLECTIONS = 40;
const NOTHING_BYTES = 16 * 1024;

/** Memory once everything unused is gone. */
export async function settledMemory(): Promise<ProcessMemory> {
  let least = Number.POSITIVE_INFINITY;
  for (let idle = 0, count = 0; idle < IDLE_COLLECTIONS && count < MOST_COLLECTIONS; count += 1) {
    collect();
    // Finalizers and closing handles need turns of the event loop.
    await pause(30);
    const { ours } = memoryNow();
    idle = ours > least - NOTHING_BYTES ? idle + 1 : 0;
    least = Math.min(least, ours);
  }
  return memoryNow();
}
