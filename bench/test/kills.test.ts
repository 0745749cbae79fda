import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { killPlan } from '../kills/kill-plan.ts';

const kills = fileURLToPath(new URL('../kills.ts', import.meta.url));
const run = promisify(execFile);

it('does every job once while the office and its host are killed', async () => {
  const plan = ['--target', 'both', '--moments', '4', '--jobs', '4', '--seed', '5', '--work', '1500'];
  const { stdout } = await run(process.execPath, [kills, ...plan]).catch((error: { stdout: string }) => error);
  const report: unknown = JSON.parse(stdout);
  expect(report).toMatchObject({ faults: [], moments: 4 });
  // Some say why they did not complete, where nobody can know; most have nothing in the way.
  expect(report).toHaveProperty('outcomes.completed');
}, 120_000);

it('kills at the same moments with the same seed', () => {
  const plan = (seed: number) => killPlan({ target: 'both', moments: 50, jobs: 20, seed, workMs: 9000 });
  expect(plan(1)).toEqual(plan(1));
  expect(plan(1)).not.toEqual(plan(2));
  expect(new Set(plan(1).map(({ victim }) => victim))).toEqual(new Set(['office', 'host']));
});
