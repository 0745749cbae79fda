import type { Attributes } from '@opentelemetry/api';

import type { TurnError } from '../monitor/evidence.ts';
import { redactedText } from '../policy/redaction.ts';
import type { Outcome } from '../session/turn.ts';

/** The name everything is measured under. */
export const SCOPE = '@semo-office/core';

/** How something ended: its outcome, and the code of its error. Never a message: agents quote prompts in theirs. */
export function endAttributes({
  outcome,
  error,
}: {
  readonly outcome: Outcome;
  readonly error: TurnError | null;
}): Attributes {
  return { 'semo.outcome': outcome, ...errorAttributes(error) };
}

/** What is told of an error. */
export function errorAttributes(error: TurnError | null): Attributes {
  return error === null ? {} : { 'error.type': error.code, 'semo.error.class': error.class };
}

/** A name that somebody else has chosen, without what looks like a secret. */
export function shownName(name: string): string {
  return redactedText(name);
}

/** Milliseconds as the seconds that metrics are told in. */
export function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
