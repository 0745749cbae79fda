import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { machineShape } from './machine.ts';
import { isMet, type Report } from './measurement.ts';
import { measurements } from './measurements.ts';
import { inOwnProcess } from './own-process.ts';
import { reportTable } from './report-table.ts';

// `node bench/main.ts [--tiny] [--pairs N] [name…]`: all measurements, or those named; each in a process of its own.
const { values, positionals: named } = parseArgs({
  options: { tiny: { type: 'boolean', default: false }, pairs: { type: 'string' } },
  allowPositionals: true,
});
const scale = values.tiny ? 'tiny' : 'full';
const pairs = values.pairs === undefined ? undefined : Number(values.pairs);
if (pairs !== undefined && !(Number.isInteger(pairs) && pairs > 0)) {
  console.error('--pairs takes a whole number above 0.');
  process.exit(2);
}
const unknown = named.filter((name) => measurements[name] === undefined);
if (unknown.length > 0) {
  console.error(`No measurement ${unknown.join(', ')}. There are: ${Object.keys(measurements).join(', ')}.`);
  process.exit(2);
}

const machine = machineShape();
console.log(`${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}`);
const reports: Record<string, Report> = {};
const ordinary = Object.keys(measurements).filter((name) => measurements[name]?.byNameOnly !== true);
for (const name of named.length > 0 ? named : ordinary) {
  const report = await inOwnProcess<Report>('measure-one.ts', { name, scale, pairs });
  reports[name] = report;
  console.log(`\n${name}: ${measurements[name]?.title ?? ''}\n${reportTable(report)}`);
}
await writeFile(join(import.meta.dirname, 'results.json'), `${JSON.stringify({ machine, scale, reports }, null, 2)}\n`);
const missed = Object.values(reports).flatMap(({ targets }) => targets.filter((target) => !isMet(target)));
// A tiny run proves that the code runs; its figures mean nothing.
if (missed.length > 0 && scale === 'full') process.exitCode = 1;
