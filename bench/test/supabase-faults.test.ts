import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { commandPlan, commandsOf } from '../faults/command-plan.ts';
import { readFaultOptions } from '../faults/fault-options.ts';
import { FAULT_KINDS, faultPlan, type PlannedFault } from '../faults/fault-plan.ts';

const faults = fileURLToPath(new URL('../supabase-faults.ts', import.meta.url));
const run = promisify(execFile);

it('carries commands out once and in order while everything goes wrong', async () => {
  const size = ['--hosts', '2', '--commands', '160', '--sessions', '16', '--seed', '5'];
  // The steps of a session are spread over all nine faults.
  const times = ['--every', '400', '--faults', '9', '--lease', '1000', '--realtime-down', '800', '--pace', '900'];
  const { stdout } = await run(process.execPath, [faults, ...size, ...times]).catch(
    (error: { stdout: string }) => error,
  );
  const report = JSON.parse(stdout) as { readonly faults: object };
  expect(report).toMatchObject({ lost: 0, duplicates: 0, orderViolations: 0, wrong: [] });
  expect(Object.keys(report.faults).toSorted()).toEqual(FAULT_KINDS.toSorted());
}, 240_000);

it('plans the same commands and faults with the same seed, each kind of fault first once', () => {
  const options = (seed: number) => readFaultOptions(JSON.stringify({ seed, faults: 60 }));
  const firstFaults = (seed: number): PlannedFault[] => [...faultPlan(options(seed))];
  expect(firstFaults(1)).toHaveLength(60);
  expect(firstFaults(1)).toEqual(firstFaults(1));
  expect(firstFaults(1)).not.toEqual(firstFaults(2));
  const kinds = firstFaults(1).map(({ kind }) => kind);
  expect(kinds.slice(0, FAULT_KINDS.length).toSorted()).toEqual(FAULT_KINDS.toSorted());
  expect(commandPlan(options(1))).toEqual(commandPlan(options(1)));
  expect(commandPlan(options(1))).not.toEqual(commandPlan(options(2)));
  const ids = commandsOf(commandPlan(options(1))).map(({ commandId }) => commandId);
  expect(new Set(ids).size).toBe(10_000);
});
