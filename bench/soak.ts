/**
 * Proves that nothing grows and nothing is left behind when an office works for long: ten sessions, job after job.
 *   node bench/soak.ts [--minutes 20]
 * Ends with 1 when a job was not right or anything is left; growth is for whoever reads it.
 */
import { parseArgs } from 'node:util';

import { soak } from './soak/soak-run.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } });
const report = await soak(Number(values.minutes));
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.wrong.length + report.left.length === 0 ? 0 : 1;
