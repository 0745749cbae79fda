import { turnError, type ErrorCode, type TurnError } from '@semo-office/core';

import type { HookInput } from './hooks/hook-listener.ts';
import { isQuota, limitInWords } from './limit-reset.ts';
import type { ClaudeResult } from './stream/message.ts';

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

/** Nobody answered where the model should be. It is told as a `server_error`; only the sentence says it (2.1.329). */
const UNREACHABLE = /\b(?:ConnectionRefused|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN)\b/;

const SIGN_IN_HINT =
  'Check ANTHROPIC_API_KEY, or run `claude setup-token` and set CLAUDE_CODE_OAUTH_TOKEN to what it gives.';
const ADDRESS_HINT = 'Check the network, ANTHROPIC_BASE_URL and the proxy variables.';

/** When something was said, and what is known of the limit beside the sentence. */
export interface FailureContext {
  /** Epoch milliseconds. */
  readonly at: number;
  /** When the limit resets, where more than the sentence tells it. */
  readonly resetsAt?: number | undefined;
}

/** Why a turn failed, from the StopFailure hook. */
export function stopFailure(
  input: Extract<HookInput, { hook_event_name: 'StopFailure' }>,
  context: FailureContext,
): TurnError {
  const reason = input.error ?? 'unknown';
  const said = input.last_assistant_message ?? input.error_details ?? reason;
  const refused = reason === 'unknown' && REFUSED.test(said);
  return apiError({ code: refused ? 'agent_rejected' : (REASONS[reason] ?? 'agent_failed'), reason, said, ...context });
}

/**
 * Why a turn failed, from its result and the reason that the last message of the agent gave; `undefined` where it did
 * not. An API error calls itself a `success`.
 */
export function resultFailure(
  result: ClaudeResult,
  { reason, ...context }: FailureContext & { readonly reason: string | null },
): TurnError | undefined {
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
  return apiError({
    code,
    reason,
    said: said === '' ? `The agent ended its turn as ${end ?? subtype}.` : said,
    ...context,
  });
}

/** Whether the turn was interrupted: by a request or a signal. */
export function isAborted({ terminal_reason: end }: ClaudeResult): boolean {
  return end?.startsWith('aborted') === true;
}

/** With what to do, where the agent's sentence does not say it. */
function apiError({
  code,
  reason,
  said,
  at,
  resetsAt,
}: FailureContext & {
  readonly code: ErrorCode;
  readonly reason: string | null;
  readonly said: string;
}): TurnError {
  // An account's spending limit is told as a request that cannot be taken.
  if (code === 'agent_rate_limited' || (code === 'agent_rejected' && isQuota(said))) {
    const inWords = limitInWords(said, at);
    return turnError('agent_rate_limited', said, { ...inWords, retryAt: resetsAt ?? inWords.retryAt });
  }
  // A credential without money or credit left is a good one.
  if (code === 'sign_in_refused' && reason !== 'billing_error') return turnError(code, withHint(said, SIGN_IN_HINT));
  const isUnreachable = code === 'agent_overloaded' && UNREACHABLE.test(said);
  return isUnreachable ? turnError('model_unreachable', withHint(said, ADDRESS_HINT)) : turnError(code, said);
}

function withHint(said: string, hint: string): string {
  return `${said}${/[.!?]$/.test(said) ? '' : '.'} ${hint}`;
}

function codeOfStatus(status: number | null): ErrorCode | undefined {
  if (status === null || status < 400) return undefined;
  if (status === 429) return 'agent_rate_limited';
  if (status === 401 || status === 403) return 'sign_in_refused';
  return status >= 500 ? 'agent_overloaded' : 'agent_rejected';
}
