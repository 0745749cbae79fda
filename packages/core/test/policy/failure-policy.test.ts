import { describe, expect, it } from 'vitest';

import {
  DEFAULT_FAILURE_POLICY,
  ERROR_CLASSES,
  ERROR_CODES,
  SINGLE_ATTEMPT_POLICY,
  turnError,
  type ErrorCode,
} from '../../src/index.ts';
import { nextStep } from '../../src/policy/failure-policy.ts';

const policy = DEFAULT_FAILURE_POLICY;
const error = (code: ErrorCode) => turnError(code, 'Sorry.');
const step = (code: ErrorCode, former: ErrorCode[] = []) => nextStep(policy, error(code), former.map(error));

describe('the failure policy', () => {
  it.each([
    ['agent_not_found', { kind: 'end', needsPerson: false }],
    ['invalid_prompt', { kind: 'end', needsPerson: false }],
    ['workspace_forbidden', { kind: 'end', needsPerson: true }],
    ['needs_input', { kind: 'end', needsPerson: true }],
    ['not_signed_in', { kind: 'end', needsPerson: true }],
    ['turn_timed_out', { kind: 'again', reason: 'timeout' }],
    ['agent_crashed', { kind: 'again', reason: 'crash' }],
    ['host_lost', { kind: 'again', reason: 'host_lost' }],
    ['agent_rate_limited', { kind: 'wait' }],
    ['agent_overloaded', { kind: 'backoff' }],
    ['model_unreachable', { kind: 'backoff' }],
    ['pool_timed_out', { kind: 'queue' }],
    ['agent_failed', { kind: 'end', needsPerson: false }],
    ['turn_cancelled', { kind: 'end', needsPerson: false }],
    ['prompt_not_accepted', { kind: 'again', reason: 'not_delivered' }],
    ['deadline_passed', { kind: 'end', needsPerson: false }],
  ] as const)('answers %s with %o', (code, expected) => {
    expect(step(code)).toEqual(expected);
  });

  it('never sends a prompt of unknown fate again, however it is counted', () => {
    for (const former of [[], ['agent_crashed'], ['agent_overloaded', 'turn_timed_out']] as ErrorCode[][])
      expect(step('delivery_unknown', former)).toEqual({ kind: 'end', needsPerson: true });
  });

  it('has an answer for every code, and none of them goes on for ever', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const former = Array.from({ length: 1000 }, () => code);
      expect(step(code, former).kind).toBe('end');
    }
  });

  it('counts each rule by itself', () => {
    expect(step('agent_crashed', ['turn_timed_out'])).toEqual({ kind: 'again', reason: 'crash' });
    expect(step('agent_crashed', ['agent_crashed'])).toEqual({ kind: 'end', needsPerson: false });
    expect(step('agent_start_failed', ['agent_crashed'])).toEqual({ kind: 'end', needsPerson: false });
  });

  it('can be told to leave it at one attempt', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[])
      expect(nextStep(SINGLE_ATTEMPT_POLICY, error(code), []).kind).toBe('end');
    expect(Object.keys(SINGLE_ATTEMPT_POLICY.classes).toSorted()).toEqual([...ERROR_CLASSES].toSorted());
  });
});
