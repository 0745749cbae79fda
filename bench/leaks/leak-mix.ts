import { ENDINGS, leakRun, leavesItToTheNext, sweepByNextStart, type Ending, type LeakRun } from './leak-run.ts';
import { remainingFiles, remainingHelpers, remainingProcesses } from './leak-remains.ts';
import { leakStage, type LeakStage } from './leak-stage.ts';

/** What came of a mix of runs. */
export interface LeakReport {
  readonly runs: Readonly<Record<Ending, number>>;
  readonly durationMs: number;
  /** Runs that ended in another way than they should. */
  readonly failures: readonly string[];
  /** Helpers that were alive when `semo run` had ended, where nobody was killed who should have ended them. */
  readonly lateHelpers: readonly string[];
  readonly processes: readonly string[];
  readonly files: readonly string[];
}

/**
 * Runs `count` jobs that end in all ways in turn, `lanes` at a time, then looks for anything that is left of them.
 * @example
 * const { processes, files } = await leakMix({ count: 100 });
 */
export async function leakMix({
  count,
  lanes = 2,
}: {
  readonly count: number;
  readonly lanes?: number;
}): Promise<LeakReport> {
  await using stage = await leakStage();
  const startedAt = Date.now();
  const first = 1_000_000 + Math.floor(Math.random() * 1_000_000) * 1000;
  const runs = Array.from({ length: count }, (_, index) => mixedRun(first, index));
  const failures: string[] = [];
  const lateHelpers: string[] = [];
  const queue = runs.values();
  const workOff = async (lane: number) => {
    for (const planned of queue) {
      const run = { ...planned, lane };
      await leakRun(stage, run).catch((error: unknown) => failures.push(`${run.ending}: ${String(error)}`));
      if (!leavesItToTheNext(run)) lateHelpers.push(...(await remainingHelpers([run.seconds])).map(shown));
    }
  };
  const numbers = Array.from({ length: lanes }, (_, lane) => lane);
  await Promise.all(numbers.map(workOff));
  for (const lane of numbers) await sweepByNextStart(stage, { lane });
  return {
    ...(await remains(stage, runs)),
    runs: countOf(runs),
    durationMs: Date.now() - startedAt,
    failures,
    lateHelpers,
  };
}

function mixedRun(first: number, index: number): Omit<LeakRun, 'lane'> {
  const ending = ENDINGS[index % ENDINGS.length] ?? 'normal';
  return { ending, seconds: first + index, inWorktree: Math.floor(index / ENDINGS.length) % 2 === 1 };
}

async function remains(
  stage: LeakStage,
  runs: readonly Pick<LeakRun, 'seconds'>[],
): Promise<Pick<LeakReport, 'processes' | 'files'>> {
  const helpers = await remainingHelpers(runs.map(({ seconds }) => seconds));
  const others = await remainingProcesses(stage);
  const files = await remainingFiles(stage);
  // The numbers are this run's own: nothing else can be hit.
  for (const { pid } of helpers) process.kill(pid, 'SIGKILL');
  return { processes: [...helpers, ...others].map(shown), files };
}

const shown = ({ pid, command }: { readonly pid: number; readonly command: string }): string => `${pid} ${command}`;

function countOf(runs: readonly Pick<LeakRun, 'ending'>[]): Record<Ending, number> {
  const count = (ending: Ending): number => runs.filter((run) => run.ending === ending).length;
  return Object.fromEntries(ENDINGS.map((ending) => [ending, count(ending)])) as Record<Ending, number>;
}
