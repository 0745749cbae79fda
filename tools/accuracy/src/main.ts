/**
 * Runs every kind of turn in every setting by the real CLI, and tells how often the verdicts were right:
 *   npm run accuracy -- [--lanes 3] [--only TEXT] [--setting 'classic 80'] [--cli pinned|oldest] [--pairwise] [--delays 40] [--record]
 * Fetches the oldest supported CLI from the package registry. Ends with 1 when a verdict was wrong.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { oldestCli, pinnedCli, type Cli } from './cli-version.ts';
import { delayLine, delayOf, type Delay } from './delays.ts';
import { judgementLine } from './judgement.ts';
import { kinds } from './kinds.ts';
import { inLanes } from './lanes.ts';
import { recordingOf } from './recording.ts';
import { keepRecording } from './replay.ts';
import { everyTrial, pairwiseTrials, settingName, settings, type Trial } from './setting.ts';
import { confusionTable, naiveTable } from './tables.ts';
import { resultOf, type TrialResult } from './trial-result.ts';
import { runTrial } from './trial-run.ts';

const CACHE = join(import.meta.dirname, '../../../node_modules/.cache/accuracy');

const { values } = parseArgs({
  options: {
    lanes: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    setting: { type: 'string' },
    cli: { type: 'string' },
    pairwise: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    delays: { type: 'string', default: '40' },
  },
});

/** Turns as they mostly are: a few steps, and an answer. */
const ORDINARY = ['marker: at the end of the answer', 'trouble: a command that fails, and is got over'];

async function main(): Promise<void> {
  const clis = [
    ...(values.cli === 'oldest' ? [] : [await pinnedCli()]),
    ...(values.cli === 'pinned' ? [] : [await oldestCli(join(CACHE, 'oldest-cli'))]),
  ];
  const chosen = (values.pairwise ? pairwiseTrials : everyTrial)(kinds).filter(isChosen);
  const runs = clis.flatMap((cli) => chosen.map((trial) => ({ cli, trial })));
  console.log(
    `${kinds.length} kinds, ${runs.length} turns, Claude Code ${clis.map(({ version }) => version).join(' and ')}`,
  );
  const results = await inLanes(runs, Number(values.lanes), tryOnce);
  console.log(`\n${confusionTable(results)}\n\n${naiveTable(results)}\n`);
  for (const cli of clis) await tellDelays(cli);
  await mkdir(CACHE, { recursive: true });
  await writeFile(join(CACHE, 'results.json'), JSON.stringify(results, null, 1));
  const wrong = results.filter(({ judgement }) => judgement.kind !== 'right');
  console.log(`${results.length - wrong.length} of ${results.length} verdicts are right.`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

function isChosen({ kind, setting }: Trial): boolean {
  const { setting: wanted = settingName(setting), only } = values;
  return wanted === settingName(setting) && `${kind.family}: ${kind.name}`.includes(only);
}

async function tryOnce({ cli, trial }: { cli: Cli; trial: Trial }): Promise<TrialResult> {
  const began = Date.now();
  const observation = await runTrial(trial, cli.binary);
  const result = await resultOf(observation, cli.version);
  const recording = values.record ? recordingOf(observation, cli.version) : null;
  if (recording !== null) await keepRecording(recording);
  const what = `${result.kind} (${result.setting}, ${result.version})`;
  console.log(`${judgementLine(result.judgement).padEnd(6)} ${what} ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

/** Ordinary turns one at a time: beside others they would wait for the processor. */
async function tellDelays(cli: Cli): Promise<void> {
  const ordinary = kinds.filter(({ family, name }) => ORDINARY.includes(`${family}: ${name}`));
  for (const setting of settings.filter(({ cols }) => cols === null || cols === 120)) {
    const delays: Delay[] = [];
    for (let turn = 0; turn < Number(values.delays); turn += 1) {
      const kind = ordinary[turn % ordinary.length];
      const delay = kind === undefined ? null : delayOf(await runTrial({ kind, setting }, cli.binary));
      if (delay !== null) delays.push(delay);
    }
    console.log(`${cli.version}, ${settingName(setting)}: the verdict comes`);
    console.log(`  after the agent's own signal: ${delayLine(delays.map(({ afterSignalMs }) => afterSignalMs))}`);
    console.log(`  after the model's last byte:  ${delayLine(delays.map(({ afterLastByteMs }) => afterLastByteMs))}`);
  }
}

await main();
