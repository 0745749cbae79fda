import { escapeIdentifier } from 'pg';
import { RestError } from './rest-error.ts';

/** Parameters of the query string that are no filter. */
const reserved: ReadonlySet<string> = new Set(['select', 'order', 'limit', 'offset', 'columns', 'on_conflict']);

const operators: Readonly<Record<string, string>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
  ilike: 'ilike',
  cs: '@>',
  cd: '<@',
};

const truths: ReadonlySet<string> = new Set(['null', 'not_null', 'true', 'false', 'unknown']);

/**
 * The `where` clause of a query string such as `status=eq.open&seq=gt.3`; empty when there is no filter. Values are
 * pushed to `params`, and take the type of their column.
 * @throws RestError PGRST100 for what PostgREST knows and this does not: `or`, `and`, embedded tables, JSON paths.
 */
export function whereClause(query: URLSearchParams, params: unknown[]): string {
  const conditions = [...query]
    .filter(([name]) => !reserved.has(name))
    .map(([name, value]) => condition(name, value, params));
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}

function condition(name: string, filter: string, params: unknown[]): string {
  const [, negation, operator = '', value = ''] = /^(not\.)?([a-z]+)\.(.*)$/s.exec(filter) ?? [];
  if (name === 'or' || name === 'and' || /[.>-]/.test(name)) throw unsupported(`${name}=${filter}`);
  const test = testOf(operator, value, params);
  if (test === undefined) throw unsupported(`${name}=${filter}`);
  const positive = `row_.${escapeIdentifier(name)} ${test}`;
  return negation === undefined ? positive : `not (${positive})`;
}

function testOf(operator: string, value: string, params: unknown[]): string | undefined {
  if (operator === 'is') {
    return truths.has(value) ? `is ${value.replace('_', ' ')}` : undefined;
  }
  if (operator === 'in') {
    params.push(listOf(value));
    return `= any ($${params.length})`;
  }
  const sql = operators[operator];
  if (sql === undefined) return undefined;
  params.push(operator.endsWith('like') ? value.replaceAll('*', '%') : value);
  return `${sql} $${params.length}`;
}

/** `(a,"b,c")`. */
function listOf(value: string): readonly string[] {
  const items = value.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return items.map((item) => (item.startsWith('"') ? item.slice(1, -1).replaceAll(/\\(.)/g, '$1') : item));
}

/** The `order by` clause of `order=seq.desc.nullslast,id`; empty when there is none. */
export function orderClause(query: URLSearchParams): string {
  const order = query.get('order');
  if (order === null) return '';
  const terms = order.split(',').map((term) => {
    const [, name = '', direction = '', nulls = ''] =
      /^([^.>(-]+)(?:\.(asc|desc))?(?:\.nulls(first|last))?$/.exec(term) ?? [];
    if (name === '') throw unsupported(`order=${order}`);
    return `row_.${escapeIdentifier(name)} ${direction}${nulls === '' ? '' : ` nulls ${nulls}`}`;
  });
  return ` order by ${terms.join(', ')}`;
}

/** The columns of `select=id,when:created_at`. */
export function selectedColumns(query: URLSearchParams): string {
  const select = query.get('select') ?? '*';
  const columns = select.split(',').map((column) => {
    if (column === '*') return 'row_.*';
    const [, alias, name = ''] = /^(?:([^:.>(-]+):)?([^:.>(-]+)$/.exec(column.trim()) ?? [];
    if (name === '') throw unsupported(`select=${select}`);
    return `row_.${escapeIdentifier(name)}${alias === undefined ? '' : ` as ${escapeIdentifier(alias)}`}`;
  });
  return columns.join(', ');
}

function unsupported(what: string): RestError {
  return new RestError(400, {
    code: 'PGRST100',
    message: `"failed to parse (${what})"`,
    hint: 'The local REST service of the testbed knows plain columns and the simple operators only.',
  });
}
