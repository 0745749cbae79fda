import type { Database } from './database.ts';

type Tables = Database['public']['Tables'];
type Functions = Database['public']['Functions'];

/**
 * A row of one of our tables.
 *
 * @example
 * ```ts
 * const status = (command: TableRow<'agent_commands'>) => command.status;
 * ```
 */
export type TableRow<Name extends keyof Tables> = Tables[Name]['Row'];

/** What one of our functions is called with. */
export type FunctionArgs<Name extends keyof Functions> = Functions[Name]['Args'];

/** What one of our functions gives. Columns of its rows may be `null`, which the catalogue does not tell. */
export type FunctionReturns<Name extends keyof Functions> = Functions[Name]['Returns'];
