// One run, on sources; see ../supabase-faults.ts.
import { readFaultOptions } from './fault-options.ts';
import { faultRun } from './fault-run.ts';

const report = await faultRun(readFaultOptions(process.argv[2]), (line) => console.error(line));
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.wrong.length === 0 ? 0 : 1;
