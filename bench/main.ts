import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { machineShape } from './machine.ts';
import { isMet, type Report } from './measurement.ts';
import { measurements } from './measurements.ts';
import { inOwnProcess } from './own-process.ts';
import { reportTable } from './report-table.ts';

// `node bench/main.ts [--tiny] [name…]`: all measurements, or those named; each in a process of its own.
const words = process.argv.slice(2);
const scale = words.includes('--tiny') ? 'tiny' : 'full';
const named = words.filter((word) => word !== '--tiny');
const unknown = named.filter((name) => measurements[name] === undefined);
if (unknown.length > 0) {
  console.error(`No measurement ${unknown.join(', ')}. There are: ${Object.keys(measurements).join(', ')}.`);
  process.exit(2);
}

const machine = machineShape();
console.log(`${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}`);
const reports: Record<string, Report> = {};
for (const name of named.length > 0 ? named : Object.keys(measurements)) {
  const report = await inOwnProcess<Report>('measure-one.ts', { name, scale });
  reports[name] = report;
  console.log(`\n${name}: ${measurements[name]?.title ?? ''}\n${reportTable(report)}`);
}
await writeFile(join(import.meta.dirname, 'results.json'), `${JSON.stringify({ machine, scale, reports }, null, 2)}\n`);
const missed = Object.values(reports).flatMap(({ targets }) => targets.filter((target) => !isMet(target)));
// A tiny run proves that the code runs; its figures mean nothing.
if (missed.length > 0 && scale === 'full') process.exitCode = 1;
