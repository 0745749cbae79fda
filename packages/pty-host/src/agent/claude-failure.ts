import { turnError, type ErrorCode, type TurnError } from '@semo-office/core';

import type { HookInput } from './claude-hook-listener.ts';
import type { ClaudeResult } from './claude-message.ts';

/** What Claude Code calls the reason of a failed turn, and what it is to us. */
const REASONS: Readonly<Record<string, ErrorCode>> = {
  rate_limit: 'agent_rate_limited',
  overloaded: 'agent_overloaded',
  server_error: 'agent_overloaded',
  authentication_failed: 'sign_in_refused',
  oauth_org_not_allowed: 'sign_in_refused',
  billing_error: 'sign_in_refused',
  invalid_request: 'agent_rejected',
  model_not_found: 'agent_rejected',
  max_output_tokens: 'agent_failed',
};

/** A request the API will not take is reported as `unknown` (2.1.329); only the sentence has the status. */
const REFUSED = /^API Error: 4\d\d\b/;

/** Why a turn failed, from the StopFailure hook. */
export function stopFailure(input: Extract<HookInput, { hook_event_name: 'StopFailure' }>): TurnError {
  const reason = input.error ?? 'unknown';
  const said = input.last_assistant_message ?? input.error_details ?? reason;
  const refused = reason === 'unknown' && REFUSED.test(said);
  return turnError(refused ? 'agent_rejected' : (REASONS[reason] ?? 'agent_failed'), said);
}

/**
 * Why a turn failed, from its result and the reason that the last message of the agent gave; `undefined` where it did
 * not. An API error calls itself a `success`.
 */
export function resultFailure(result: ClaudeResult, reason: string | null): TurnError | undefined {
  const { subtype, is_error: isError, terminal_reason: end, api_error_status: status } = result;
  if (!isError && subtype === 'success') return undefined;
  const said = result.result ?? result.errors?.join('\n') ?? '';
  if (subtype === 'error_max_turns') {
    return turnError('agent_failed', `The agent came to the limit of its turns (maxTurns). ${said}`.trim());
  }
  if (isAborted(result)) {
    return turnError('agent_failed', 'The agent was interrupted, and not by us.');
  }
  const known = reason === null ? undefined : REASONS[reason];
  const code = known ?? codeOfStatus(status ?? null) ?? 'agent_failed';
  return turnError(code, said === '' ? `The agent ended its turn as ${end ?? subtype}.` : said);
}

/** Whether the turn was interrupted: by a request or a signal. */
export function isAborted({ terminal_reason: end }: ClaudeResult): boolean {
  return end?.startsWith('aborted') === true;
}

function codeOfStatus(status: number | null): ErrorCode | undefined {
  if (status === null || status < 400) return undefined;
  if (status === 429) return 'agent_rate_limited';
  if (status === 401 || status === 403) return 'sign_in_refused';
  return status >= 500 ? 'agent_overloaded' : 'agent_rejected';
}
