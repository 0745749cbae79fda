import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { memoryJobStore } from '@semo-office/core';
import { agentEnvironment, claudeBinary } from '@semo-office/testbed';

import { crowdStage, type CrowdStage } from '../crowd/crowd-stage.ts';
import { promptOf, runWave } from '../crowd/numbered-jobs.ts';
import { openDescriptors } from '../crowd/process-tree.ts';
import { settledMemory } from '../process-memory.ts';

const CLI_LANES = 8;
const PROGRAM_LANES = 2;
const SAMPLES = 10;
const PROGRAM = `while read -r line; do
  number=\${line##*number }
  echo "The number of this job is \${number%%.*}."
  echo "$SEMO_DONE_MARKER"
done`;

/** This process at one moment of a long run. */
export interface SoakSample {
  readonly minute: number;
  readonly jobs: number;
  /** The heap in use and what is outside it, once nothing more could be freed. */
  readonly megabytes: number;
  readonly descriptors: number;
}

/** What a long run came to. */
export interface SoakReport {
  readonly jobs: number;
  readonly wrong: readonly string[];
  readonly faults: readonly string[];
  readonly samples: readonly SoakSample[];
  /** From the first sample after the warm-up to the last. */
  readonly growth: { readonly megabytes: number; readonly descriptors: number; readonly bytesPerJob: number };
  readonly left: readonly string[];
}

/** Keeps ten sessions busy for so long: eight of the real CLI, kept and cleared, two of a small program, a new one for each job. */
export async function soak(minutes: number): Promise<SoakReport> {
  const model = fork(join(import.meta.dirname, '..', 'soak-model-process.ts'), {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [url] = (await once(model, 'message')) as [string];
  try {
    await using stage = await crowdStage({
      agents: [{ agentId: 'worker', agent: { kind: 'claude-stream' }, workspace: { kind: 'git', repoId: 'app' } }],
      warm: { worker: CLI_LANES },
      // What is remembered on purpose would look like a leak.
      jobs: memoryJobStore({ maxEnded: 100 }),
      pool: { max: CLI_LANES + PROGRAM_LANES, reuse: 'clear' },
      hostEnv: { ...agentEnvironment({ url }), SEMO_CLAUDE_BIN: claudeBinary() },
    });
    await stage.office.ready();
    return await busy(stage, minutes * 60_000);
  } finally {
    model.kill();
  }
}

async function busy(stage: CrowdStage, forMs: number): Promise<SoakReport> {
  const startedAt = performance.now();
  const passed = (): number => performance.now() - startedAt;
  const tally = { next: 0, done: 0, wrong: [] as string[] };
  const samples: SoakSample[] = [];
  // All lanes rest at the same time, so that each sample finds the same things at work: nothing.
  for (let sample = 1; sample <= SAMPLES; sample += 1) {
    const lane = async (isProgram: boolean): Promise<void> => {
      do await one(stage, tally, isProgram);
      while (passed() < (forMs * sample) / SAMPLES);
    };
    const lanes = Array.from({ length: CLI_LANES + PROGRAM_LANES }, (_, index) => lane(index < PROGRAM_LANES));
    await Promise.all(lanes);
    const { ours } = await settledMemory();
    const at = { minute: passed() / 60_000, jobs: tally.done, megabytes: ours / 1e6, descriptors: openDescriptors() };
    samples.push(at);
    console.log(JSON.stringify(at));
  }
  const left = await stage.close();
  return { jobs: tally.done, wrong: tally.wrong, faults: stage.faults, samples, growth: growthOf(samples), left };
}

async function one(
  { office, folder }: CrowdStage,
  tally: { next: number; done: number; wrong: string[] },
  isProgram: boolean,
): Promise<void> {
  const session = {
    agent: { kind: 'command', command: ['sh', '-c', PROGRAM], over: 'pipe' },
    workspace: { kind: 'path', path: folder },
  } as const;
  const first = tally.next;
  tally.next += 1;
  const { wrong } = await runWave(office, {
    first,
    count: 1,
    job: (number) => ({ prompt: promptOf(number), ...(isProgram ? { session } : { agentId: 'worker' }) }),
  });
  tally.wrong.push(...wrong);
  tally.done += 1;
}

/** The first third is for caches, and for code that has to be compiled. */
function growthOf(samples: readonly SoakSample[]): SoakReport['growth'] {
  const from = samples[Math.floor(samples.length / 3)];
  const to = samples.at(-1);
  if (from === undefined || to === undefined) return { megabytes: 0, descriptors: 0, bytesPerJob: 0 };
  const megabytes = to.megabytes - from.megabytes;
  const bytesPerJob = (megabytes * 1e6) / Math.max(1, to.jobs - from.jobs);
  return { megabytes, descriptors: to.descriptors - from.descriptors, bytesPerJob };
}
