/**
 * What kind of trouble an error is, which is what a failure policy decides by.
 * The set is closed: a switch over it can be exhausted.
 */
export const ERROR_CLASSES = [
  'not_found',
  'permission',
  'timeout',
  'crash',
  'rate_limit',
  'overloaded',
  'auth',
  'invalid_request',
  'capacity',
  'host_lost',
  'cancelled',
  'unknown',
] as const;

/** One of {@link ERROR_CLASSES}. */
export type ErrorClass = (typeof ERROR_CLASSES)[number];

interface CodeTraits {
  readonly class: ErrorClass;
  readonly retryable: boolean;
}

const fixed = (errorClass: ErrorClass): CodeTraits => ({ class: errorClass, retryable: false });
const passing = (errorClass: ErrorClass): CodeTraits => ({ class: errorClass, retryable: true });

/** Every code a {@link SemoError} can carry, with its class and whether trying again can help. */
export const ERROR_CODES = {
  invalid_argument: fixed('invalid_request'),
  invalid_persona: fixed('invalid_request'),
  invalid_prompt: fixed('invalid_request'),
  prompt_too_long: fixed('invalid_request'),
  unknown_agent: fixed('invalid_request'),
  agent_not_found: fixed('not_found'),
  agent_version_unsupported: fixed('not_found'),
  agent_start_failed: passing('crash'),
  agent_crashed: passing('crash'),
  agent_exit_failed: fixed('unknown'),
  agent_rate_limited: passing('rate_limit'),
  agent_overloaded: passing('overloaded'),
  model_unreachable: passing('not_found'),
  agent_rejected: fixed('invalid_request'),
  agent_failed: fixed('unknown'),
  marker_missing: fixed('unknown'),
  invalid_settings: fixed('invalid_request'),
  guard_failed: fixed('permission'),
  not_signed_in: fixed('auth'),
  sign_in_refused: fixed('auth'),
  login_in_use: passing('capacity'),
  workspace_not_found: fixed('not_found'),
  workspace_not_directory: fixed('invalid_request'),
  workspace_forbidden: fixed('permission'),
  workspace_dirty: fixed('capacity'),
  unsafe_path: fixed('permission'),
  containment_unavailable: fixed('not_found'),
  repository_unknown: fixed('not_found'),
  git_failed: fixed('unknown'),
  session_unknown: fixed('not_found'),
  session_terminated: fixed('invalid_request'),
  conversation_unknown: fixed('not_found'),
  session_busy: passing('capacity'),
  session_exhausted: fixed('capacity'),
  session_timed_out: passing('timeout'),
  output_limit: fixed('capacity'),
  session_conflict: fixed('invalid_request'),
  turn_unknown: fixed('not_found'),
  turn_timed_out: passing('timeout'),
  turn_cancelled: fixed('cancelled'),
  prompt_not_accepted: passing('unknown'),
  delivery_unknown: fixed('unknown'),
  request_unknown: fixed('not_found'),
  job_unknown: fixed('not_found'),
  job_conflict: fixed('invalid_request'),
  job_not_ended: fixed('invalid_request'),
  lease_lost: fixed('capacity'),
  deadline_passed: fixed('timeout'),
  pool_timed_out: passing('capacity'),
  capacity_exhausted: passing('capacity'),
  circuit_open: passing('overloaded'),
  needs_input: fixed('permission'),
  notify_failed: passing('unknown'),
  output_dropped: fixed('invalid_request'),
  output_beyond_end: fixed('invalid_request'),
  not_supported: fixed('invalid_request'),
  terminal_unavailable: fixed('not_found'),
  wait_timed_out: passing('timeout'),
  aborted: fixed('cancelled'),
  closed: fixed('invalid_request'),
  host_lost: passing('host_lost'),
  host_running: fixed('capacity'),
  invalid_message: fixed('invalid_request'),
  store_unusable: fixed('unknown'),
  internal: fixed('unknown'),
} as const satisfies Record<string, CodeTraits>;

/** One of the closed set of error codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Options of {@link SemoError}; what is left out follows from the code. */
export interface SemoErrorOptions {
  /** Defaults to the code's own class. */
  readonly class?: ErrorClass | undefined;
  /** Defaults to the code's own answer. */
  readonly retryable?: boolean | undefined;
  /** From when on trying again makes sense, in epoch milliseconds, where that is known. Default: not known. */
  readonly retryAt?: number | undefined;
  /** Facts for programs, such as `{ start, end }` of an output log. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

// A registered symbol, so that two copies of this package in one process recognise each other's errors.
const brand = Symbol.for('semo-office.error');

/**
 * The one error this library throws. `code` says what happened, `class` what kind of trouble it is,
 * `message` is a sentence that says what to do.
 *
 * @example
 * ```ts
 * try { await sessions.sendPrompt(id, ''); }
 * catch (error) { if (isSemoError(error, 'invalid_prompt')) console.error(error.message); }
 * ```
 */
export class SemoError extends Error {
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly retryable: boolean;
  readonly retryAt: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SemoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SemoError';
    this.code = code;
    this.class = options.class ?? ERROR_CODES[code].class;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.retryAt = options.retryAt;
    this.details = options.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }

  /** Any thrown value as a SemoError: ours as they are, an aborted signal as `aborted`, the rest as `internal`. */
  static from(thrown: unknown): SemoError {
    if (isSemoError(thrown)) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const aborted = thrown instanceof Error && thrown.name === 'AbortError';
    return new SemoError(aborted ? 'aborted' : 'internal', message, { cause: thrown });
  }
}

/**
 * Whether a value is a {@link SemoError}, also one made by another copy of this package, and, with `code`, that one.
 */
export function isSemoError(value: unknown, code?: ErrorCode): value is SemoError {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false;
  return code === undefined || ('code' in value && value.code === code);
}

/** Ends a `switch` over a closed union: the compiler refuses it while a case is missing. */
export function assertNever(value: never): never {
  throw new SemoError('internal', `Unexpected case: ${JSON.stringify(value)}`);
}
