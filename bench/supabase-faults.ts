/**
 * Proves that commands over Supabase are carried out, once and in order, whatever goes wrong: sixteen host processes and an office
 * over a local Supabase, and a fault every second. Compares what was answered with what the hosts wrote into tables of their own.
 *   node bench/supabase-faults.ts [--hosts 16] [--commands 10000] [--sessions 500] [--at-once 100] [--seed 1] [--every 1000]
 *     [--faults 0] [--lease 15000] [--realtime-down 10000] [--pace 0]
 * Times in milliseconds. `--faults`: at most so many, 0 for no end. `--pace`: the least from one step of a session to the next. The same seed gives the same commands, and
 * the same faults at the same times. Needs no build. Ends with 1 when anything is wrong.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string' },
    commands: { type: 'string' },
    sessions: { type: 'string' },
    'at-once': { type: 'string' },
    seed: { type: 'string' },
    every: { type: 'string' },
    faults: { type: 'string' },
    lease: { type: 'string' },
    'realtime-down': { type: 'string' },
    pace: { type: 'string' },
  },
});
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const options = {
  hosts: number(values.hosts),
  commands: number(values.commands),
  sessions: number(values.sessions),
  atOnce: number(values['at-once']),
  seed: number(values.seed),
  everyMs: number(values.every),
  faults: number(values.faults),
  leaseMs: number(values.lease),
  realtimeDownMs: number(values['realtime-down']),
  paceMs: number(values.pace),
};
const main = fileURLToPath(new URL('faults/run-main.ts', import.meta.url));
const fromSources = `--import=${new URL('../tools/from-sources.ts', import.meta.url).href}`;
// What it starts inherits the flag.
const run = spawn(process.execPath, [fromSources, main, JSON.stringify(options)], { stdio: 'inherit' });
const [code] = (await once(run, 'close')) as [number | null];
process.exitCode = code ?? 1;
