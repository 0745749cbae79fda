import { DatabaseError } from 'pg';

/** What PostgREST answers when a request fails. */
export class RestError extends Error {
  readonly status: number;
  readonly body: RestErrorBody;

  constructor(status: number, body: Partial<RestErrorBody> & { readonly message: string }) {
    super(body.message);
    this.status = status;
    this.body = { code: null, details: null, hint: null, ...body };
  }
}

export interface RestErrorBody {
  readonly code: string | null;
  readonly details: string | null;
  readonly hint: string | null;
  readonly message: string;
}

/** The first prefix of a SQLSTATE that is listed decides. https://docs.postgrest.org/en/v14/references/errors.html */
const statusByState: readonly (readonly [prefix: string, status: number])[] = [
  ['08', 503],
  ['09', 500],
  ['0L', 403],
  ['0P', 403],
  ['23503', 409],
  ['23505', 409],
  ['25006', 405],
  ['25', 500],
  ['28', 403],
  ['2D', 500],
  ['38', 500],
  ['39', 500],
  ['3B', 500],
  ['40', 500],
  ['53400', 500],
  ['53', 503],
  ['54', 500],
  ['55', 500],
  ['57', 500],
  ['58', 500],
  ['F0', 500],
  ['HV', 500],
  ['P0001', 400],
  ['P0', 500],
  ['42883', 404],
  ['42P01', 404],
  ['42P17', 500],
];

/** An administrator's shutdown, a crash, a server that is starting: the connection is gone, not the statement wrong. */
const connectionStates: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03']);

/**
 * Turns whatever a request threw into an answer.
 * @param options.isAnonymous What an anonymous caller may not do is a 401: signing in could help.
 */
export function toRestError(error: unknown, options: { readonly isAnonymous: boolean }): RestError {
  if (error instanceof RestError) return error;
  if (!(error instanceof DatabaseError) || connectionStates.has(error.code ?? '')) {
    return new RestError(503, {
      code: 'PGRST001',
      message: 'Database client error. Retrying the connection.',
      details: error instanceof Error ? error.message : String(error),
    });
  }
  const { code = 'XX000', message, detail, hint } = error;
  const body = { code, message, details: detail ?? null, hint: hint ?? null };
  return new RestError(statusOf(code, options.isAnonymous), body);
}

function statusOf(state: string, isAnonymous: boolean): number {
  if (state === '42501') return isAnonymous ? 401 : 403;
  // `raise sqlstate 'PT409'` chooses the status itself.
  const chosen = /^PT(\d{3})$/.exec(state)?.[1];
  if (chosen !== undefined) return Number(chosen);
  return statusByState.find(([prefix]) => state.startsWith(prefix))?.[1] ?? 400;
}
