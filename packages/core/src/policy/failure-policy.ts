import { assertNever, type ErrorClass, type ErrorCode } from '../errors.ts';
import type { AttemptReason } from '../job/run-line.ts';
import type { TurnError } from '../monitor/evidence.ts';

/**
 * What to do about a failure of one class.
 *
 * - `fail`: the job has failed.
 * - `person`: the job has failed, and people are told: only they can help.
 * - `again`: once more, up to `times`, in the same conversation where there still is one.
 * - `backoff`: once more after a while, longer each time, up to `times`.
 * - `wait`: the whole office waits until the stated moment, then goes on; up to `times`.
 * - `queue`: back into the queue until there is room, up to `times`.
 */
export type FailureRule =
  | { readonly kind: 'fail' }
  | { readonly kind: 'person' }
  | { readonly kind: 'again'; readonly times: number; readonly reason: AttemptReason }
  | { readonly kind: 'backoff'; readonly times: number }
  | { readonly kind: 'wait'; readonly times: number }
  | { readonly kind: 'queue'; readonly times: number };

/** A rule for every class of failure, and for the codes that want another than their class. */
export interface FailurePolicy {
  readonly classes: Readonly<Record<ErrorClass, FailureRule>>;
  readonly codes: Readonly<Partial<Record<ErrorCode, FailureRule>>>;
}

const fail: FailureRule = { kind: 'fail' };
const backoff: FailureRule = { kind: 'backoff', times: 4 };

/** The policy of an office that is told of no other. */
export const DEFAULT_FAILURE_POLICY: FailurePolicy = {
  classes: {
    not_found: fail,
    invalid_request: fail,
    permission: { kind: 'person' },
    auth: { kind: 'person' },
    timeout: { kind: 'again', times: 1, reason: 'timeout' },
    crash: { kind: 'again', times: 1, reason: 'crash' },
    host_lost: { kind: 'again', times: 1, reason: 'host_lost' },
    rate_limit: { kind: 'wait', times: 20 },
    overloaded: backoff,
    capacity: { kind: 'queue', times: 20 },
    cancelled: fail,
    unknown: fail,
  },
  codes: {
    // It is certain that the agent never had it.
    prompt_not_accepted: { kind: 'again', times: 1, reason: 'not_delivered' },
    model_unreachable: backoff,
    // An agent that was gone too soon has written nothing down.
    conversation_unknown: { kind: 'again', times: 1, reason: 'conversation_lost' },
    // The agent may have had it: doing it twice could do harm, and only a person can look.
    delivery_unknown: { kind: 'person' },
    // Never, as things are: no waiting makes room.
    capacity_exhausted: { kind: 'person' },
    // Whoever has flooded its output once does so again, and each time costs.
    output_limit: fail,
    deadline_passed: fail,
    lease_lost: fail,
  },
};

/** For whoever looks on and decides what comes next: one attempt, whatever becomes of it. */
export const SINGLE_ATTEMPT_POLICY: FailurePolicy = {
  classes: {
    not_found: fail,
    invalid_request: fail,
    permission: fail,
    auth: fail,
    timeout: fail,
    crash: fail,
    host_lost: fail,
    rate_limit: fail,
    overloaded: fail,
    capacity: fail,
    cancelled: fail,
    unknown: fail,
  },
  codes: {
    prompt_not_accepted: fail,
    model_unreachable: fail,
    conversation_unknown: fail,
    delivery_unknown: fail,
    capacity_exhausted: fail,
  },
};

/** What comes after an attempt that did not complete. */
export type NextStep =
  | { readonly kind: 'end'; readonly needsPerson: boolean }
  | { readonly kind: 'again'; readonly reason: AttemptReason }
  | { readonly kind: 'backoff' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'queue' };

/**
 * Decides what comes after a failure. Pure.
 *
 * @param former - The failures that this job has been given another attempt for, the present one not among them.
 */
export function nextStep(policy: FailurePolicy, error: TurnError, former: readonly TurnError[]): NextStep {
  const rule = ruleFor(policy, error);
  const used = former.filter((other) => ruleFor(policy, other) === rule).length;
  const isUsedUp = 'times' in rule && used >= rule.times;
  switch (rule.kind) {
    case 'fail':
    case 'person':
      return { kind: 'end', needsPerson: rule.kind === 'person' };
    case 'again':
      return isUsedUp ? { kind: 'end', needsPerson: false } : { kind: 'again', reason: rule.reason };
    case 'backoff':
    case 'wait':
    case 'queue':
      return isUsedUp ? { kind: 'end', needsPerson: false } : { kind: rule.kind };
    default:
      return assertNever(rule);
  }
}

/** Whether only a person can help with a failure. Pure. */
export function needsPerson(policy: FailurePolicy, error: TurnError): boolean {
  return ruleFor(policy, error).kind === 'person';
}

function ruleFor({ codes, classes }: FailurePolicy, { code, class: errorClass }: TurnError): FailureRule {
  return codes[code] ?? classes[errorClass];
}
