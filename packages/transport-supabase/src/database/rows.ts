import { parseEdge } from '@semo-office/core';
import { z } from 'zod';

/** The rows that a function gave. @throws SemoError `invalid_message`: it is not the function we know. */
export function rowsOf<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.output<Schema>[] {
  return parseEdge(z.array(schema), data, { what, code: 'invalid_message' });
}

/** The one row that a function gave. @throws SemoError `invalid_message`. */
export function rowOf<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.output<Schema> {
  const [row] = parseEdge(z.tuple([schema]), data, { what, code: 'invalid_message' });
  return row as z.output<Schema>;
}

/** The single value that a function gave. @throws SemoError `invalid_message`. */
export function valueOf<Schema extends z.ZodType>(schema: Schema, data: unknown, what: string): z.output<Schema> {
  return parseEdge(schema, data, { what, code: 'invalid_message' });
}
