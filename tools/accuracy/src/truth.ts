import type { ErrorClass, MilestoneKind, Outcome } from '@semo-office/core';

/** How a turn really ends, known from the model's script and from what is done to the agent: never from a verdict. */
export interface Truth {
  readonly outcome: Outcome;
  /** The class of its error; `null` where it completes. */
  readonly errorClass: ErrorClass | null;
  /** The agent's last message; left out where it has none, or none that matters. */
  readonly text?: string | undefined;
  /** The answers of the model to the agent itself until the turn is over: an earlier verdict `completed` is false. */
  readonly answers: number;
  readonly milestones: readonly MilestoneKind[];
}

/** What differs from the plain case. */
type More = Partial<Pick<Truth, 'milestones' | 'answers' | 'text'>>;

/** It completes with these last words, after so many answers of the model. */
export function completes(text: string, answers: number, more: More = {}): Truth {
  return { outcome: 'completed', errorClass: null, text, answers, milestones: [], ...more };
}

/** It fails. */
export function fails(errorClass: ErrorClass, more: More = {}): Truth {
  return { outcome: 'failed', errorClass, answers: 0, milestones: [], ...more };
}

/** It is cancelled. */
export function cancelled(more: More = {}): Truth {
  return { outcome: 'cancelled', errorClass: 'cancelled', answers: 0, milestones: [], ...more };
}

/** It is not done in its time. */
export function timesOut(more: More = {}): Truth {
  return { outcome: 'timed_out', errorClass: 'timeout', answers: 0, milestones: [], ...more };
}

/** The agent dies. */
export function crashes(more: More = {}): Truth {
  return { outcome: 'crashed', errorClass: 'crash', answers: 0, milestones: [], ...more };
}

/** It needs a person, and there is none. */
export function needsPerson(more: More = {}): Truth {
  return { outcome: 'needs_input', errorClass: 'permission', answers: 0, milestones: [], ...more };
}
