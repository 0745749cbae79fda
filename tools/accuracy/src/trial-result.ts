import type { Outcome } from '@semo-office/core';

import { judge, type Judgement } from './judgement.ts';
import { naiveWorths, type Worth } from './naive.ts';
import type { Observation } from './observation.ts';
import { settingName } from './setting.ts';

/** What is kept of a trial: what it printed would fill the memory. */
export interface TrialResult {
  /** `family: name`. */
  readonly kind: string;
  readonly setting: string;
  readonly version: string;
  readonly really: Outcome;
  readonly said: Outcome | 'false completion' | 'no verdict';
  readonly judgement: Judgement;
  readonly naive: Readonly<Record<string, Worth>>;
}

/** Judges a trial. */
export async function resultOf(observation: Observation, version: string): Promise<TrialResult> {
  const { kind, setting } = observation.trial;
  const judgement = judge(observation);
  return {
    kind: `${kind.family}: ${kind.name}`,
    setting: settingName(setting),
    version,
    really: kind.truth.outcome,
    said: saidOf(observation, judgement),
    judgement,
    naive: await naiveWorths(observation),
  };
}

function saidOf({ turn }: Observation, judgement: Judgement): TrialResult['said'] {
  if (judgement.kind === 'false_completion') return 'false completion';
  return judgement.kind !== 'miss' && turn?.state.kind === 'ended' ? turn.state.outcome : 'no verdict';
}
