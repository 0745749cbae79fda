import { ERROR_CODES, SemoError, type ErrorCode } from '@semo-office/core';

/** What a call of the database's API came back with, where it did not succeed. */
export interface ApiError {
  /** The server's sentence. Not repeated unless it is ours: it may quote what was sent. */
  readonly message: string;
  /** SQLSTATE, or PostgREST's own. */
  readonly code?: string | null | undefined;
  /** Our code, where one of our functions refused. */
  readonly hint?: string | null | undefined;
  readonly details?: string | null | undefined;
  /** Of HTTP; 0 where there was no answer at all. */
  readonly status: number;
}

/** What went wrong, as the library's own error. Pure. */
export function refusalError(error: ApiError): SemoError {
  const { code, hint, status } = error;
  if (isErrorCode(hint)) return new SemoError(hint, error.message, { details: factsOf(error.details) });
  if (hint === 'not_permitted' || code === '42501')
    return new SemoError(
      'sign_in_refused',
      'The token may not do this. Its app_metadata.semo must name the role (office, host), the office_id and, for a host, the host_id.',
    );
  if (status === 401 || (code ?? '').startsWith('PGRST30'))
    return new SemoError(
      'sign_in_refused',
      'The project refused the key or the token: it is none of its own, or is over.',
    );
  if (code === 'PGRST202' || code === 'PGRST205')
    return new SemoError(
      'store_unusable',
      "The project has not (all of) this version's tables and functions. Apply the migrations of @semo-office/transport-supabase.",
    );
  // A character that jsonb cannot hold, or that is not one.
  if (code === '22P05' || (code === '22P02' && /\bjson\b/.test(error.message)))
    return new SemoError(
      'invalid_argument',
      'The database keeps no NUL characters and no half surrogate pairs. Leave them out.',
    );
  // The columns of ids hold nothing else.
  if (code === '23514' && /"\w+_id_check"/.test(error.message))
    return new SemoError(
      'invalid_argument',
      'An id has 1 to 64 letters, digits, "-" or "_" and begins with a letter or digit.',
    );
  if (status === 0 || status === 408 || status === 429 || status >= 500) return unreachable(status);
  return new SemoError('internal', `The database refused a call: ${code ?? 'no code'}, HTTP ${status}.`);
}

/** The error of a call that nobody knows the outcome of. */
export function unreachable(status = 0): SemoError {
  const how = status === 0 ? 'did not answer' : `answered HTTP ${status}`;
  return new SemoError('host_lost', `The database ${how}. What was asked may have been done.`, {
    details: { status },
  });
}

function isErrorCode(hint: string | null | undefined): hint is ErrorCode {
  return typeof hint === 'string' && Object.hasOwn(ERROR_CODES, hint);
}

function factsOf(details: string | null | undefined): Record<string, unknown> {
  try {
    const facts: unknown = JSON.parse(details ?? '{}');
    return typeof facts === 'object' && facts !== null ? { ...facts } : {};
  } catch {
    return {};
  }
}
