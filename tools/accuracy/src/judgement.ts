import { assertNever, type TurnInfo } from '@semo-office/core';

import type { Observation } from './observation.ts';
import type { Truth } from './truth.ts';

/**
 * What a verdict is worth.
 * - `false_completion`: it said `completed` before the turn was over, or of one that was not.
 * - `miss`: it never came.
 * - `wrong`: it came, and something in it is not so.
 */
export type Judgement =
  | { readonly kind: 'right' }
  | { readonly kind: 'false_completion'; readonly why: string }
  | { readonly kind: 'miss'; readonly why: string }
  | { readonly kind: 'wrong'; readonly why: string };

/** Compares a verdict with the truth. */
export function judge(observation: Observation): Judgement {
  const { turn, heardAt, fault } = observation;
  const { truth } = observation.trial.kind;
  if (turn === null || turn.state.kind !== 'ended' || heardAt === null) {
    return { kind: 'miss', why: fault ?? `the turn is ${turn?.state.kind ?? 'unknown'}` };
  }
  if (fault !== null) return { kind: 'wrong', why: fault };
  const { outcome } = turn.state;
  if (outcome === 'completed') {
    const early = earlyBy(observation, heardAt);
    if (truth.outcome !== 'completed' || early !== null) {
      return { kind: 'false_completion', why: early ?? `it really was ${truth.outcome}` };
    }
  }
  const why = differences(turn, truth);
  return why.length === 0 ? { kind: 'right' } : { kind: 'wrong', why: why.join('; ') };
}

/** What a turn says of itself that is not so. */
export function differences({ state, text, milestones }: TurnInfo, truth: Truth): string[] {
  const { outcome, error } = state.kind === 'ended' ? state : { outcome: state.kind, error: null };
  const told = milestones.map(({ kind }) => kind).join();
  return [
    difference('outcome', outcome, truth.outcome),
    difference('class', error?.class ?? null, truth.errorClass),
    truth.text === undefined ? null : difference('text', text.trim(), truth.text.trim()),
    difference('milestones', told, truth.milestones.join()),
  ].filter((part) => part !== null);
}

/** Why a completion came too early; `null` if it did not. */
function earlyBy({ answers, trial }: Observation, heardAt: number): string | null {
  const given = answers.filter(({ lastByteAt }) => lastByteAt <= heardAt).length;
  const { answers: wanted } = trial.kind.truth;
  return given < wanted ? `after ${given} of ${wanted} answers of the model` : null;
}

function difference(what: string, said: string | null, real: string | null): string | null {
  return said === real ? null : `${what} ${JSON.stringify(said)} instead of ${JSON.stringify(real)}`;
}

/** A judgement in a line. */
export function judgementLine(judgement: Judgement): string {
  switch (judgement.kind) {
    case 'right':
      return 'right';
    case 'false_completion':
    case 'miss':
    case 'wrong':
      return `${judgement.kind}: ${judgement.why}`;
    default:
      return assertNever(judgement);
  }
}
