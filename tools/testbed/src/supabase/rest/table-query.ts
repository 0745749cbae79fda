import { escapeIdentifier } from 'pg';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import type { Statement } from './function-call.ts';
import { RestError } from './rest-error.ts';
import type { RestRequest } from './rest-request.ts';
import { orderClause, selectedColumns, whereClause } from './row-filter.ts';

interface Table {
  readonly name: string;
  /** Ready for SQL. */
  readonly sql: string;
  readonly columns: ReadonlySet<string>;
  readonly keyColumns: readonly string[];
}

const lookup = `
  select
    array(
      select attname::text from pg_catalog.pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
    ) as columns,
    array(
      select a.attname::text from pg_catalog.pg_index i
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
      where i.indrelid = c.oid and i.indisprimary
    ) as keys
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f')`;

const tableSchema = z.object({ columns: z.array(z.string()), keys: z.array(z.string()) });

/**
 * Writes the statement for a request to a table. It gives one value: the rows as JSON.
 * @throws RestError PGRST205 when there is no such table, PGRST204 no such column, PGRST100 what this does not know.
 */
export async function tableQuery(client: ClientBase, request: RestRequest): Promise<Statement> {
  const table = await findTable(client, request.target.name);
  const params: unknown[] = [];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const wantsRows = isRead || request.preferences.has('return=representation');
  const change = isRead ? selection(table, request, params) : changeOf(table, request, params);
  // Without rows asked for nothing is returned, so that a caller who may write but not read can write.
  const text = wantsRows
    ? `with changed as (${change}${isRead ? '' : ` returning ${selectedColumns(request.query)}`})
       select coalesce(json_agg(changed), '[]')::text as body from changed`
    : change;
  return { text, params, shape: wantsRows ? 'list' : 'nothing', readOnly: isRead };
}

/** How many rows there would be without a limit, for `count: 'exact'`. */
export function countQuery({ target, query }: RestRequest): Statement {
  const params: unknown[] = [];
  const text = `select count(*)::text as body from public.${escapeIdentifier(target.name)} as row_${whereClause(query, params)}`;
  return { text, params, shape: 'value', readOnly: true };
}

async function findTable(client: ClientBase, name: string): Promise<Table> {
  const { rows } = await client.query({ name: 'find-table', text: lookup, values: [name] });
  if (rows[0] === undefined) {
    throw new RestError(404, {
      code: 'PGRST205',
      message: `Could not find the table 'public.${name}' in the schema cache`,
    });
  }
  const { columns, keys } = tableSchema.parse(rows[0]);
  return { name, sql: `public.${escapeIdentifier(name)}`, columns: new Set(columns), keyColumns: keys };
}

function selection(table: Table, { query }: RestRequest, params: unknown[]): string {
  const where = whereClause(query, params);
  const page = ['limit', 'offset'].map((word) => {
    const count = query.get(word);
    return count === null ? '' : ` ${word} ${Number.parseInt(count, 10)}`;
  });
  return `select ${selectedColumns(query)} from ${table.sql} as row_${where}${orderClause(query)}${page.join('')}`;
}

function changeOf(table: Table, request: RestRequest, params: unknown[]): string {
  switch (request.method) {
    case 'POST':
      return insertion(table, request, params);
    case 'PATCH':
      return update(table, request, params);
    default:
      return `delete from ${table.sql} as row_${whereClause(request.query, params)}`;
  }
}

function insertion(table: Table, { body, query, preferences }: RestRequest, params: unknown[]): string {
  const rows = (Array.isArray(body) ? body : [body]) as readonly object[];
  const listed = query
    .get('columns')
    ?.split(',')
    .map((name) => name.replaceAll('"', ''));
  const names = knownColumns(table, listed ?? Object.keys(rows[0] ?? {}));
  const columns = names.map(escapeIdentifier).join(', ');
  if (names.length === 0) return `insert into ${table.sql} as row_ default values`;
  params.push(JSON.stringify(rows));
  return `insert into ${table.sql} as row_ (${columns})
    select ${columns} from json_populate_recordset(null::${table.sql}, $${params.length})${conflict(table, names, { query, preferences })}`;
}

type Upsert = Pick<RestRequest, 'query' | 'preferences'>;

function conflict(table: Table, names: readonly string[], { query, preferences }: Upsert): string {
  const target = (query.get('on_conflict')?.split(',') ?? table.keyColumns).map(escapeIdentifier).join(', ');
  if (preferences.has('resolution=ignore-duplicates')) return ` on conflict (${target}) do nothing`;
  if (!preferences.has('resolution=merge-duplicates')) return '';
  const assignments = names.map((name) => `${escapeIdentifier(name)} = excluded.${escapeIdentifier(name)}`);
  return ` on conflict (${target}) do update set ${assignments.join(', ')}`;
}

function update(table: Table, { body, query }: RestRequest, params: unknown[]): string {
  const names = knownColumns(table, Object.keys(body as object));
  params.push(JSON.stringify(body));
  const assignments = names.map((name) => `${escapeIdentifier(name)} = given.${escapeIdentifier(name)}`);
  return `update ${table.sql} as row_ set ${assignments.join(', ')}
    from json_populate_record(null::${table.sql}, $${params.length}) as given${whereClause(query, params)}`;
}

function knownColumns({ name, columns }: Table, names: readonly string[]): readonly string[] {
  const unknown = names.find((column) => !columns.has(column));
  if (unknown === undefined) return names;
  throw new RestError(400, {
    code: 'PGRST204',
    message: `Could not find the '${unknown}' column of '${name}' in the schema cache`,
  });
}
