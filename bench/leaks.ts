/**
 * Proves that nothing is left behind: runs the real CLI through `semo run` to all kinds of ends, with helpers that try to
 * stay, then looks for processes and files.
 *   node bench/leaks.ts [--runs 100] [--lanes 2]
 * The command must have been built (`npm run build`). Linux only, since it reads /proc. Ends with 1 when anything is left.
 */
import { parseArgs } from 'node:util';

import { leakMix } from './leaks/leak-mix.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '100' }, lanes: { type: 'string', default: '2' } },
});
const report = await leakMix({ count: Number(values.runs), lanes: Number(values.lanes) });
console.log(JSON.stringify(report, null, 2));
const { failures, lateHelpers, processes, files } = report;
process.exitCode = failures.length + lateHelpers.length + processes.length + files.length === 0 ? 0 : 1;
