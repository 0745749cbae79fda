import { z } from 'zod';

import { SemoError, type ErrorCode } from './errors.ts';

/**
 * Parses what comes from outside, and says in a sentence what is wrong with it.
 *
 * @throws SemoError with `code`, by default `invalid_argument`.
 * @example
 * ```ts
 * const size = parseEdge(terminalSizeSchema, input, { what: 'terminal size' });
 * ```
 */
export function parseEdge<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  { what, code = 'invalid_argument' }: { readonly what: string; readonly code?: ErrorCode },
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SemoError(code, `The ${what} is not valid. ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
}
