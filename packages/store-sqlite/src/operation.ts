import { parseEdge } from '@semo-office/core';
import { z } from 'zod';

/** Epoch milliseconds. */
export const at = z.number();

/**
 * Something a store does on behalf of another thread: what comes from there is parsed first.
 * It throws SemoError `invalid_argument` for what does not fit.
 */
export function operation<Schema extends z.ZodType, Result>(
  { what, of }: { readonly what: string; readonly of: Schema },
  run: (input: z.output<Schema>) => Result,
): (input: z.input<Schema>) => Result {
  return (input) => run(parseEdge(of, input, { what }));
}
