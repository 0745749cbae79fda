import { figures, percentile } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { openBenchOffice, settled, type BenchOffice, type CommandTimes } from './supabase/bench-office.ts';
import { startBenchProject } from './supabase/bench-project.ts';

const SIZES: Record<
  Scale,
  { readonly hosts: number; readonly warmUp: number; readonly commands: number; readonly rounds: number }
> = {
  full: { hosts: 16, warmUp: 3000, commands: 3000, rounds: 5 },
  tiny: { hosts: 2, warmUp: 4, commands: 8, rounds: 1 },
};
const SESSIONS_PER_HOST = 4;

/** How many commands a second go to 16 hosts and come back, with one at a time in each of 64 sessions. */
export const supabaseThroughput: Measurement = {
  title: 'Supabase: commands a second through an office with 16 hosts, there and back, everything on this machine',
  async run(scale) {
    const { hosts, warmUp, commands, rounds } = SIZES[scale];
    await using project = await startBenchProject();
    const shape = { hosts, processes: 1, sessions: hosts * SESSIONS_PER_HOST };
    await using office = await openBenchOffice(project, shape);
    await settled(project, office);
    await askAll(office, warmUp);
    const rates: number[] = [];
    const times: CommandTimes[][] = [];
    for (let round = 0; round < rounds; round += 1) {
      const startedAt = performance.now();
      times.push(await askAll(office, commands));
      rates.push(commands / ((performance.now() - startedAt) / 1000));
    }
    const rate = { what: 'commands a second', unit: '/s', figures: figures(rates) };
    const whole = times.map((round) => round.map(({ there, back }) => there + back));
    return {
      rows: [
        rate,
        { what: 'asked to answered, p50', unit: 'ms', figures: figures(whole.map((round) => percentile(round, 0.5))) },
        { what: 'asked to answered, p99', unit: 'ms', figures: figures(whole.map((round) => percentile(round, 0.99))) },
      ],
      targets: [{ what: rate.what, unit: '/s', value: rate.figures.median, promised: { atLeast: 300 } }],
    };
  },
};

/** So many commands, the next of a session when the one before it is answered. */
async function askAll(office: BenchOffice, count: number): Promise<CommandTimes[]> {
  const times: CommandTimes[] = [];
  let left = count;
  const keepAsking = async (sessionId: string): Promise<void> => {
    while (left > 0) {
      left -= 1;
      times.push(await office.ask(sessionId));
    }
  };
  await Promise.all(office.sessionIds.map(keepAsking));
  return times;
}
