import { SemoError, systemClock, type Clock } from '@semo-office/core';
import type { SupabaseClient } from '@supabase/supabase-js';

import type { Database } from './database.ts';
import type { FunctionArgs } from './database-parts.ts';
import { named, projectError } from './project-error.ts';
import { unreachable } from './refusal.ts';

type FunctionName = keyof Database['public']['Functions'];
type TableName = keyof Database['public']['Tables'];

/** Which rows of a table to read. */
export interface RowQuery {
  readonly table: TableName;
  readonly columns: string;
  /** What a column must be; `null` is null. */
  readonly where?: Readonly<Record<string, string | number | boolean | null>>;
  /** A column that must be one of these: few enough for a URL. */
  readonly among?: { readonly column: string; readonly values: readonly string[] };
  /** Columns that must not be null. */
  readonly present?: readonly string[];
  readonly orderBy: readonly string[];
  /** At most so many. Default: all. */
  readonly limit?: number;
}

/** The database as we use it: our functions, and reading rows. What comes back is parsed by whoever asked. */
export interface DatabaseDoor {
  /** @throws SemoError our functions' own codes, `host_lost` where nobody answers, `sign_in_refused`, `store_unusable`. */
  call<Name extends FunctionName>(name: Name, args: FunctionArgs<Name>): Promise<unknown>;
  /** @throws SemoError as `call` does. */
  select(query: RowQuery): Promise<unknown[]>;
}

/** PostgREST gives no more than so many rows at a time, unless a project has raised it. */
const PAGE_ROWS = 1000;

interface Answer {
  readonly data: unknown;
  readonly error: { message: string; code?: string; hint?: string | null; details?: string | null } | null;
  readonly status: number;
}

/** The tokens that calls are made by. */
export interface CallTokens {
  /** @throws SemoError `sign_in_refused`. */
  current(): Promise<string>;
  /** The project took this one. */
  accepted(token: string): void;
  refused(token: string): void;
}

/** What a door is made with, besides a client. */
export interface DoorParts {
  readonly clock?: Clock;
  /** A call that takes longer is given up. Default 10 000. */
  readonly timeoutMs?: number;
  /** Who answers, for messages. Default: nobody knows. */
  readonly host?: string | null;
  /** Those that the client has. Default: they are its own affair. */
  readonly tokens?: CallTokens | null;
}

/** The door of a supabase-js client. */
export function supabaseDoor(
  client: Pick<SupabaseClient, 'rpc' | 'from'>,
  { clock = systemClock, timeoutMs = 10_000, host = null, tokens = null }: DoorParts = {},
): DatabaseDoor {
  const ask = async (request: (signal: AbortSignal) => PromiseLike<Answer>): Promise<unknown> => {
    // Asked for here: why there is none would be lost on its way through the client.
    const token = tokens === null ? null : await tokens.current();
    const given = new AbortController();
    const cancel = clock.schedule(timeoutMs, () => given.abort());
    try {
      const { data, error, status } = await request(given.signal);
      if (token !== null && status === 401) tokens?.refused(token);
      // What stands before the project, and did not get through to it, says nothing of it.
      else if (token !== null && status > 0 && status < 500) tokens?.accepted(token);
      if (error !== null) throw projectError({ ...error, status }, host);
      return data;
    } catch (thrown) {
      throw thrown instanceof SemoError ? thrown : named(unreachable(), host);
    } finally {
      cancel();
    }
  };
  return {
    call: (name, args) => ask((signal) => client.rpc(name, args as never).abortSignal(signal)),
    async select(query) {
      const rows: unknown[] = [];
      const most = query.limit ?? Number.POSITIVE_INFINITY;
      for (;;) {
        const count = Math.min(PAGE_ROWS, most - rows.length);
        const page = await ask((signal) => pageOf(client, { query, from: rows.length, count }).abortSignal(signal));
        if (!Array.isArray(page)) throw new SemoError('invalid_message', 'The database did not answer with rows.');
        rows.push(...(page as unknown[]));
        if (page.length < count || rows.length >= most) return rows;
      }
    },
  };
}

interface Page {
  readonly query: RowQuery;
  readonly from: number;
  readonly count: number;
}

function pageOf(client: Pick<SupabaseClient, 'from'>, { query, from, count }: Page) {
  let request = client.from(query.table).select(query.columns);
  for (const [column, value] of Object.entries(query.where ?? {}))
    request = value === null ? request.is(column, null) : request.eq(column, value);
  if (query.among !== undefined) request = request.in(query.among.column, query.among.values);
  for (const column of query.present ?? []) request = request.not(column, 'is', null);
  for (const column of query.orderBy) request = request.order(column);
  return request.range(from, from + count - 1);
}
