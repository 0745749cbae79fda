import type { Column, readCatalogue, Relationship, Routine, Table } from './catalogue.ts';

const HEAD = `/* oxlint-disable max-lines -- Generated from the catalogue of a database with our migrations: \`npx vitest run
   packages/transport-supabase -u\` writes it anew, and the tests fail while it differs. In the shape of \`supabase gen types\`. */

/** Any JSON value, as supabase-js has it. */
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

/** What our migrations make, for \`createClient<Database>()\` of supabase-js. */
`;

const TYPES: Readonly<Record<string, string>> = {
  bigint: 'number',
  boolean: 'boolean',
  'double precision': 'number',
  integer: 'number',
  jsonb: 'Json',
  text: 'string',
  'timestamp with time zone': 'string',
  uuid: 'string',
  void: 'undefined',
};

/** The source of `database.ts` for what the API shows of a database. */
export function databaseType({ tables, routines }: Awaited<ReturnType<typeof readCatalogue>>): string {
  const none = '{ [_ in never]: never }';
  const body = [
    block('Tables', tables.flatMap(tableLines)),
    [`Views: ${none};`],
    block('Functions', routines.flatMap(routineLines)),
    [`Enums: ${none};`, `CompositeTypes: ${none};`],
  ];
  const database = [...block('public', body.flat())];
  return `${HEAD}export type Database = {\n${indented(database).join('\n')}\n};\n`;
}

function tableLines({ name, columns, relationships }: Table): string[] {
  const field = (column: Column, optional: boolean): string =>
    `${column.name}${optional ? '?' : ''}: ${column.generated && optional ? 'never' : valueOf(column)};`;
  return block(name, [
    ...block(
      'Row',
      columns.map((column) => field(column, false)),
    ),
    ...block(
      'Insert',
      columns.map((column) => field(column, column.generated || column.nullable || column.hasDefault)),
    ),
    ...block(
      'Update',
      columns.map((column) => field(column, true)),
    ),
    ...(relationships.length === 0
      ? ['Relationships: [];']
      : ['Relationships: [', ...indented(relationships.flatMap(relationshipLines)), '];']),
  ]);
}

function relationshipLines({ name, columns, isOneToOne, target, targetColumns }: Relationship): string[] {
  const list = (names: readonly string[]): string => `[${names.map((one) => `'${one}'`).join(', ')}]`;
  const lines = [
    `foreignKeyName: '${name}';`,
    `columns: ${list(columns)};`,
    `isOneToOne: ${String(isOneToOne)};`,
    `referencedRelation: '${target}';`,
    `referencedColumns: ${list(targetColumns)};`,
  ];
  return ['{', ...indented(lines), '},'];
}

function routineLines({ name, args, returns }: Routine): string[] {
  const given = args.map((arg) => `${arg.name}${arg.optional ? '?' : ''}: ${typeOf(arg.type)};`);
  const answer =
    returns.rows === null
      ? [`Returns: ${typeOf(returns.type)};`]
      : ['Returns: {', ...indented(returns.rows.map((row) => `${row.name}: ${typeOf(row.type)};`)), '}[];'];
  return block(name, [...block('Args', given), ...answer]);
}

function valueOf({ type, nullable }: Column): string {
  return nullable ? `${typeOf(type)} | null` : typeOf(type);
}

function typeOf(type: string): string {
  const element = type.endsWith('[]') ? type.slice(0, -2) : type;
  const known = TYPES[element];
  if (known === undefined) throw new Error(`No TypeScript type is known for ${type}.`);
  return element === type ? known : `${known}[]`;
}

function block(name: string, lines: readonly string[]): string[] {
  return [`${name}: {`, ...indented(lines), '};'];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
