import { setTimeout as delay } from 'node:timers/promises';

import { figures, percentile } from './figures.ts';
import type { Measurement, Row, Scale } from './measurement.ts';
import { openBenchOffice, settled, type BenchOffice, type CommandTimes } from './supabase/bench-office.ts';
import { startBenchProject } from './supabase/bench-project.ts';

const SIZES: Record<Scale, { readonly commands: number; readonly rounds: number }> = {
  full: { commands: 300, rounds: 5 },
  tiny: { commands: 4, rounds: 1 },
};

/** How far apart the commands of one round begin, in milliseconds, by chance between these. */
const PAUSES = { idle: [30, 70], busy: [10, 20] } as const;

/** How long a command takes to its host and its answer back, on a quiet office and on one with 50 to 100 commands a second. */
export const supabaseLatency: Measurement = {
  title: 'Supabase: from asking to the handler, and from the handler to the answer, everything on this machine',
  async run(scale) {
    const { commands, rounds } = SIZES[scale];
    await using project = await startBenchProject();
    await using office = await openBenchOffice(project, { hosts: 1, processes: 1, sessions: 8 });
    await settled(project, office);
    const idle: CommandTimes[][] = [];
    const busy: CommandTimes[][] = [];
    await oneByOne(office, commands);
    for (let round = 0; round < rounds; round += 1) {
      idle.push(await oneByOne(office, commands));
      busy.push(await sideBySide(office, commands));
    }
    await using polled = await openBenchOffice(project, { hosts: 1, processes: 1, sessions: 4, realtime: false });
    const unheard = [await oneByOne(polled, Math.ceil(commands / 10))];
    const rows = (['there', 'back'] as const).flatMap((way) => [
      ...rowsOf('one at a time', way, idle),
      ...rowsOf('15 ms apart', way, busy),
      ...rowsOf('without Realtime', way, unheard),
    ]);
    return {
      rows,
      targets: (['there', 'back'] as const).flatMap((way) => [
        promise(`${WAYS[way]}, one at a time, p50`, rows, 25),
        promise(`${WAYS[way]}, one at a time, p99`, rows, 100),
      ]),
    };
  },
};

const WAYS = { there: 'asked to told', back: 'told to answered' } as const;

async function oneByOne(office: BenchOffice, count: number): Promise<CommandTimes[]> {
  const times: CommandTimes[] = [];
  for (let number = 0; number < count; number += 1) {
    times.push(await office.ask(sessionOf(office, number)));
    await delay(between(PAUSES.idle));
  }
  return times;
}

/** Nobody waits for the answer before the next is asked, each in a session whose last one has been answered long ago. */
async function sideBySide(office: BenchOffice, count: number): Promise<CommandTimes[]> {
  const asked: Promise<CommandTimes>[] = [];
  for (let number = 0; number < count; number += 1) {
    asked.push(office.ask(sessionOf(office, number)));
    await delay(between(PAUSES.busy));
  }
  return Promise.all(asked);
}

const sessionOf = ({ sessionIds }: BenchOffice, number: number): string =>
  sessionIds[number % sessionIds.length] as string;

const between = ([least, most]: readonly [number, number]): number => least + Math.random() * (most - least);

function rowsOf(how: string, way: 'there' | 'back', rounds: readonly (readonly CommandTimes[])[]): Row[] {
  return ([0.5, 0.99] as const).map((share) => ({
    what: `${WAYS[way]}, ${how}, p${share * 100}`,
    unit: 'ms',
    figures: figures(
      rounds.map((times) =>
        percentile(
          times.map((one) => one[way]),
          share,
        ),
      ),
    ),
  }));
}

function promise(what: string, rows: readonly Row[], atMost: number) {
  const value = rows.find((row) => row.what === what)?.figures.median ?? Number.NaN;
  return { what, unit: 'ms', value, promised: { atMost } };
}
