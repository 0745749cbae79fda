import { describe, expect, it } from 'vitest';

import { kinds } from '../src/kinds.ts';
import { everyTrial, liveTrials, pairwiseTrials, settings, type Trial } from '../src/setting.ts';

describe('the kinds of turn', () => {
  it('are many, each with a name of its own', () => {
    const names = kinds.map(({ family, name }) => `${family}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  it('have all outcomes that a turn can really have', () => {
    expect([...new Set(kinds.map(({ truth }) => truth.outcome))].toSorted()).toEqual([
      'cancelled',
      'completed',
      'crashed',
      'failed',
      'needs_input',
      'timed_out',
    ]);
  });
});

describe('the trials', () => {
  it('are every kind in every setting', () => {
    expect(everyTrial(kinds)).toHaveLength(kinds.length * settings.length);
  });

  it('that stand for all take each kind, and each family with every face and every width', () => {
    const trials = pairwiseTrials(kinds);
    expect(trials.map(({ kind }) => kind)).toEqual(kinds);
    const pairs = (face: (trial: (typeof trials)[number]) => unknown) =>
      new Set(trials.map((trial) => `${trial.kind.family}/${String(face(trial))}`)).size;
    const families = new Set(kinds.map(({ family }) => family)).size;
    expect(pairs(({ setting }) => setting.face)).toBe(families * 3);
    expect(pairs(({ setting }) => setting.cols)).toBe(families * 5);
    expect(pairwiseTrials(kinds)).toEqual(trials);
  });

  it('that the tests run by the real CLI meet every family with every face, every width, and every kind that is not recorded', () => {
    const all = pairwiseTrials(kinds);
    const live = liveTrials(kinds, ({ name }) => name.length % 2 === 0);
    const pairs = (trials: readonly Trial[]) =>
      new Set(
        trials.flatMap(({ kind, setting }) => [`${kind.family}/${setting.face}`, `${setting.face}/${setting.cols}`]),
      );
    expect(pairs(live)).toEqual(pairs(all));
    expect(live.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(kinds.filter(({ name }) => name.length % 2 === 1)),
    );
    expect(live.length).toBeLessThan(all.length);
  });
});
