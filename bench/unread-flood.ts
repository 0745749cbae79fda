import { benchSessions } from './bench-sessions.ts';
import { createFlood, type Flood } from './flood.ts';
import { memoryNow, settledMemory } from './process-memory.ts';
import { openRawTerminal } from './raw-terminal.ts';

/** Who does not read. */
export type Reader = 'raw' | 'nobody' | 'listener';

/** How much of it. */
export interface UnreadFlood {
  readonly reader: Reader;
  readonly bytes: number;
}

/** Bytes by which this process grew. */
export interface Growth {
  /** Once all is printed and unused memory is collected; the terminal is still held. */
  readonly settled: number;
  /** The most it ever held beyond what it held before, garbage included. */
  readonly peakResident: number;
}

const SAMPLE_MS = 10;
const WARM_UP_BYTES = 50_000_000;

/** Lets a program print while nobody reads what it prints, and gives what that cost this process. */
export async function task({ reader, bytes }: UnreadFlood): Promise<Growth> {
  await using warmUp = await createFlood(Math.min(bytes, WARM_UP_BYTES));
  await using flood = await createFlood(bytes);
  const print = reader === 'raw' ? printRaw : printInSession(reader);
  // Code and pools of the first output are not the flood's.
  await print(warmUp, () => Promise.resolve());
  const before = await settledMemory();
  let peak = before.resident;
  const sampler = setInterval(() => {
    peak = Math.max(peak, memoryNow().resident);
  }, SAMPLE_MS);
  let held = 0;
  await print(flood, async () => {
    clearInterval(sampler);
    held = (await settledMemory()).ours;
  });
  const released = await settledMemory();
  // Node lets go of some of its own meanwhile, at times it chooses: the lower floor is the stricter one.
  const settled = held - Math.min(before.ours, released.ours);
  return { settled, peakResident: peak - before.resident };
}

type Print = (flood: Flood, look: () => Promise<void>) => Promise<void>;

const printRaw: Print = async (flood, look) => {
  await using terminal = openRawTerminal({ command: flood.command, onData: () => undefined });
  terminal.write('\r');
  await terminal.exited;
  await look();
};

function printInSession(reader: 'nobody' | 'listener'): Print {
  return async (flood, look) => {
    await using host = await benchSessions();
    const gone = Promise.withResolvers<void>();
    host.sessions.on('exit', () => gone.resolve());
    // Hears of output, and never asks for any.
    if (reader === 'listener') host.sessions.on('output', () => undefined);
    const sessionId = await host.open(flood.command);
    await host.sessions.sendText(sessionId, '\r');
    await gone.promise;
    await look();
  };
}
