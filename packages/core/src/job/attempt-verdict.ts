import { assertNever, type SemoError } from '../errors.ts';
import type { TurnError } from '../monitor/evidence.ts';
import { turnError } from '../monitor/verdict.ts';
import type { Confidence, Outcome } from '../session/turn.ts';

/** How an attempt or a job is judged. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly confidence: Confidence;
  readonly error: TurnError | null;
}

/** The verdict on an attempt whose turn never began or was lost from sight. */
export function verdictOf({ code, message, class: errorClass, retryable }: SemoError): Verdict {
  const error = { ...turnError(code, message), class: errorClass, retryable };
  return { outcome: outcomeOf(error), confidence: 'certain', error };
}

function outcomeOf({ class: errorClass, code }: TurnError): Outcome {
  if (code === 'delivery_unknown') return 'unknown';
  switch (errorClass) {
    case 'crash':
      return 'crashed';
    case 'timeout':
      return 'timed_out';
    case 'cancelled':
      return 'cancelled';
    case 'host_lost':
      return 'unknown';
    case 'not_found':
    case 'permission':
    case 'rate_limit':
    case 'overloaded':
    case 'auth':
    case 'invalid_request':
    case 'capacity':
    case 'unknown':
      return 'failed';
    default:
      return assertNever(errorClass);
  }
}
