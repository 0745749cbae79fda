// One run, for a process whose threads are on sources too; see ../kills.ts.
import { readKillOptions } from './kill-plan.ts';
import { killRun } from './kill-run.ts';

const report = await killRun(readKillOptions(process.argv[2]), (line) => console.error(line));
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.faults.length === 0 ? 0 : 1;
