import { claudeBinary } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { judge, judgementLine } from '../src/judgement.ts';
import { kinds } from '../src/kinds.ts';
import { recordedKinds } from '../src/replay.ts';
import { liveTrials, settingName, type Trial } from '../src/setting.ts';
import { runTrial } from '../src/trial-run.ts';

const recorded = await recordedKinds();
const trials = liveTrials(kinds, ({ family, name }) => recorded.has(`${family}: ${name}`)).map(
  (trial): readonly [string, Trial] => [
    `${trial.kind.family}: ${trial.kind.name} (${settingName(trial.setting)})`,
    trial,
  ],
);

/** The real CLI, for what recordings do not stand for; `npm run accuracy` runs each kind in every setting. */
describe('verdicts on turns whose truth is known', () => {
  it.concurrent.each(trials)('%s', { timeout: 180_000 }, async (_, trial) => {
    expect(judgementLine(judge(await runTrial(trial, claudeBinary())))).toBe('right');
  });
});
