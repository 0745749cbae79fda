/**
 * Proves that jobs outlive the processes that work on them: kills the office, its host or both with SIGKILL at random
 * moments while the real CLI does jobs, then compares what the jobs say with what reached the model and the disk.
 *   node bench/kills.ts [--target office|host|both|local] [--moments 50] [--jobs 20] [--seed 1] [--work 9000]
 * `--work`: how long the tools of one job take, in milliseconds. The same seed gives the same moments. Needs no build. Linux
 * only, since it reads /proc. Ends with 1 when anything is wrong.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { TARGETS } from './kills/kill-plan.ts';

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    moments: { type: 'string', default: '50' },
    jobs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    work: { type: 'string', default: '9000' },
  },
});
const { moments, jobs, seed, work } = values;
const numbers = { moments: Number(moments), jobs: Number(jobs), seed: Number(seed), workMs: Number(work) };
const targets = TARGETS.filter((target) => values.target === undefined || values.target === target);
const main = fileURLToPath(new URL('kills/run-main.ts', import.meta.url));
const fromSources = `--import=${new URL('../tools/from-sources.ts', import.meta.url).href}`;
for (const target of targets) {
  // Its store has a thread, which is told by the environment alone.
  const env = { ...process.env, NODE_OPTIONS: fromSources };
  const run = spawn(process.execPath, [main, JSON.stringify({ ...numbers, target })], { env, stdio: 'inherit' });
  const [code] = (await once(run, 'close')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}
if (targets.length === 0) process.exitCode = 2;
