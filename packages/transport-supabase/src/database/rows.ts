import { parseEdge } from '@semo-office/core';
import { z } from 'zod';

import { noProject } from './project-error.ts';

/**
 * The rows that a function gave.
 * @throws SemoError `invalid_message`: it is not the function we know; `store_unusable`: nothing at all was given.
 */
export function rowsOf<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.output<Schema>[] {
  if (data === null) throw noProject();
  return parseEdge(z.array(schema), data, { what, code: 'invalid_message' });
}

/** The one row that a function gave. @throws SemoError as `rowsOf` does. */
export function rowOf<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.output<Schema> {
  if (data === null) throw noProject();
  const [row] = parseEdge(z.tuple([schema]), data, { what, code: 'invalid_message' });
  return row as z.output<Schema>;
}

/** The single value that a function gave. @throws SemoError `invalid_message`. */
export function valueOf<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.output<Schema> {
  return parseEdge(schema, data, { what, code: 'invalid_message' });
}
