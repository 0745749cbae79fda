import { escapeIdentifier } from 'pg';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import { RestError } from './rest-error.ts';
import type { RestRequest } from './rest-request.ts';

/** A statement, and how its one value `body` is to be understood. */
export interface Statement {
  readonly text: string;
  readonly params: readonly unknown[];
  readonly shape: 'list' | 'value' | 'nothing';
  readonly readOnly: boolean;
}

const functionSchema = z.object({
  returns_set: z.boolean(),
  return_type: z.string(),
  is_volatile: z.boolean(),
  arg_names: z.array(z.string()),
  arg_types: z.array(z.string()),
  default_count: z.int(),
});

type CallableFunction = z.infer<typeof functionSchema>;

/** Functions by name as they were when last looked up: what is in here is not looked up again, as in PostgREST's schema cache. */
export type FunctionCache = Map<string, readonly CallableFunction[]>;

const lookup = `
  select
    p.proretset as returns_set,
    p.prorettype::regtype::text as return_type,
    p.provolatile = 'v' as is_volatile,
    coalesce(p.proargnames[1:p.pronargs], array_fill(''::text, array[p.pronargs])) as arg_names,
    array(
      select format_type(t, null) from unnest(p.proargtypes::oid[]) with ordinality as a(t, n) order by n
    ) as arg_types,
    p.pronargdefaults::int as default_count
  from pg_catalog.pg_proc p
  where p.pronamespace = 'public'::regnamespace and p.proname = $1 and p.prokind = 'f'`;

/**
 * Finds the function by its name and the names of its arguments, as PostgREST does, and writes the call. Input
 * arguments are taken to precede OUT ones.
 * @throws RestError PGRST202 when there is none, PGRST203 when there are several.
 */
export async function functionCall(client: ClientBase, request: RestRequest, cache: FunctionCache): Promise<Statement> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const given = isRead ? Object.fromEntries(request.query) : (request.body as object);
  const { name } = request.target;
  const names = Array.isArray(given) ? [] : Object.keys(given);
  const known = cache.get(name)?.some((candidate) => takes(candidate, names));
  const overloads = known === true ? (cache.get(name) ?? []) : await lookUp(client, name);
  cache.set(name, overloads);
  const matching = overloads.filter((candidate) => takes(candidate, names));
  const [found, another] = matching;
  if (another !== undefined) throw ambiguous(name, matching);
  const taken = found ?? overloads.find(takesWholeBody);
  if (taken === undefined) throw notFound(name, names);
  return callOf(name, taken, { given, names, readOnly: isRead || !taken.is_volatile });
}

async function lookUp(client: ClientBase, name: string): Promise<readonly CallableFunction[]> {
  const { rows } = await client.query({ name: 'find-functions', text: lookup, values: [name] });
  return z.array(functionSchema).parse(rows);
}

function takes({ arg_names, default_count }: CallableFunction, names: readonly string[]): boolean {
  const required = arg_names.slice(0, arg_names.length - default_count);
  return names.every((name) => arg_names.includes(name)) && required.every((name) => names.includes(name));
}

function takesWholeBody({ arg_names, arg_types }: CallableFunction): boolean {
  return arg_names.length === 1 && arg_names[0] === '' && /^jsonb?$/.test(arg_types[0] ?? '');
}

interface Arguments {
  readonly given: object;
  readonly names: readonly string[];
  readonly readOnly: boolean;
}

function callOf(name: string, callable: CallableFunction, { given, names, readOnly }: Arguments): Statement {
  const typeOf = new Map(callable.arg_names.map((arg, index) => [arg, callable.arg_types[index] ?? 'text']));
  const columns = names.map((arg) => `${escapeIdentifier(arg)} ${typeOf.get(arg) ?? 'text'}`);
  const passed = names.map((arg) => `${escapeIdentifier(arg)} := given.${escapeIdentifier(arg)}`);
  const wholeBody = takesWholeBody(callable);
  const source =
    wholeBody || columns.length === 0 ? '' : `json_to_record($1) as given(${columns.join(', ')}) cross join lateral `;
  const call = `${source}public.${escapeIdentifier(name)}(${wholeBody ? `$1::${callable.arg_types[0]}` : passed.join(', ')})`;
  const params = source === '' && !wholeBody ? [] : [JSON.stringify(given)];
  if (callable.return_type === 'void')
    return { text: `select null as body from ${call}`, params, shape: 'nothing', readOnly };
  const list = `coalesce(json_agg(pgrst_call), '[]')`;
  return callable.returns_set
    ? { text: `select ${list}::text as body from ${call} as pgrst_call`, params, shape: 'list', readOnly }
    : { text: `select (${list} -> 0)::text as body from ${call} as pgrst_call`, params, shape: 'value', readOnly };
}

function notFound(name: string, names: readonly string[]): RestError {
  const signature = names.length === 0 ? 'without parameters' : `(${names.toSorted().join(', ')})`;
  const searched = names.length === 0 ? 'without parameters' : `with parameters ${names.toSorted().join(', ')}`;
  const separator = names.length === 0 ? ' ' : '';
  return new RestError(404, {
    code: 'PGRST202',
    message: `Could not find the function public.${name}${separator}${signature} in the schema cache`,
    details: `Searched for the function public.${name} ${searched}, but no matches were found in the schema cache.`,
  });
}

function ambiguous(name: string, candidates: readonly CallableFunction[]): RestError {
  const signatures = candidates.map(
    ({ arg_names, arg_types }) =>
      `public.${name}(${arg_names.map((arg, index) => `${arg} => ${arg_types[index]}`).join(', ')})`,
  );
  return new RestError(300, {
    code: 'PGRST203',
    message: `Could not choose the best candidate function between: ${signatures.join(', ')}`,
    hint: 'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
  });
}
