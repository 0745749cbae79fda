import { SemoError, isSemoError } from '@semo-office/core';

import { refusalError, type ApiError } from './refusal.ts';

/** What went wrong, with the name of who answers, or does not. Pure. */
export function projectError(error: ApiError, host: string | null): SemoError {
  return isNoProject(error) ? noProject(host) : named(refusalError(error), host);
}

/** Of a database that did not answer it is said which. Pure. */
export function named(error: SemoError, host: string | null): SemoError {
  // One that our functions refused with is about something else.
  if (host === null || !isSemoError(error, 'host_lost') || !('status' in error.details)) return error;
  const { message, details } = error;
  return new SemoError('host_lost', message.replace('The database', `The database at ${host}`), { details });
}

/** The error of an address at which something else answers. */
export function noProject(host: string | null = null): SemoError {
  const who = host === null ? 'What answers' : `What answers at ${host}`;
  return new SemoError(
    'store_unusable',
    `${who} is no Supabase project with our tables and functions. Is it the project's own URL, with no path? Else apply the migrations of @semo-office/transport-supabase.`,
  );
}

/** PostgREST says so of a path that it does not know: it was asked by a URL that has one already. */
const INVALID_PATH = 'PGRST125';

/** PostgREST gives a code with every refusal, and JSON with every success. */
function isNoProject({ code, status }: ApiError): boolean {
  if (code === INVALID_PATH) return true;
  return (code ?? '') === '' && ((status >= 200 && status < 300) || status === 404 || status === 405);
}
