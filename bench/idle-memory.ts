import { figures, type Figures } from './figures.ts';
import { task, type IdleKind, type IdleTerminals } from './idle-terminals.ts';
import type { Measurement, Scale } from './measurement.ts';
import { inOwnProcess } from './own-process.ts';
import type { ProcessMemory } from './process-memory.ts';

const KINDS: Record<IdleKind, string> = {
  raw: 'raw node-pty',
  session: 'session',
  screen: 'session with a screen',
};
const SIZES: Record<Scale, { readonly count: number; readonly rounds: number }> = {
  full: { count: 100, rounds: 3 },
  tiny: { count: 2, rounds: 1 },
};

/** What an idle terminal takes of our process; the program in it is not counted. */
export const idleMemory: Measurement = {
  title: 'Memory of an idle terminal: of this process, for each of many',
  async run(scale) {
    const { count, rounds } = SIZES[scale];
    const found: Record<IdleKind, ProcessMemory[]> = { raw: [], session: [], screen: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const kind of Object.keys(found) as IdleKind[]) found[kind].push(await idle({ kind, count }, scale));
    }
    const kilobytes = (kind: IdleKind, of: keyof ProcessMemory): Figures =>
      figures(found[kind].map((each) => each[of] / 1000));
    const rows = (Object.keys(found) as IdleKind[]).flatMap((kind) => [
      { what: `${KINDS[kind]}, objects and buffers`, unit: 'kB', figures: kilobytes(kind, 'ours') },
      { what: `${KINDS[kind]}, resident`, unit: 'kB', figures: kilobytes(kind, 'resident') },
    ]);
    // The larger of the two ways to count.
    const worst = (kind: IdleKind): number =>
      Math.max(kilobytes(kind, 'ours').median, kilobytes(kind, 'resident').median);
    return {
      rows,
      targets: [
        { what: 'idle session', unit: 'kB', value: worst('session'), promised: { atMost: 200 } },
        { what: 'idle session with a screen', unit: 'kB', value: worst('screen'), promised: { atMost: 1500 } },
      ],
    };
  },
};

/** In a process of its own; a tiny run proves only that it works. */
function idle(input: IdleTerminals, scale: Scale): Promise<ProcessMemory> {
  return scale === 'tiny' ? task(input) : inOwnProcess('idle-terminals.ts', input);
}
