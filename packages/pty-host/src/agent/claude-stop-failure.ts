import { turnError, type ErrorCode, type TurnError } from '@semo-office/core';

import type { HookInput } from './claude-hook-listener.ts';

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
