import type { LocalPostgres } from '@semo-office/testbed/supabase';

/** A column of a table. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  /** The server computes it; nobody writes it. */
  readonly generated: boolean;
}

/** A foreign key. */
export interface Relationship {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isOneToOne: boolean;
  readonly target: string;
  readonly targetColumns: readonly string[];
}

/** A table that the API shows. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly relationships: readonly Relationship[];
}

/** A function that the API shows. */
export interface Routine {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: string; readonly optional: boolean }[];
  /** `rows`: those of `RETURNS TABLE`. */
  readonly returns: { readonly type: string; readonly rows: readonly { name: string; type: string }[] | null };
}

const TABLES = `
  select c.relname as name,
    (select jsonb_agg(jsonb_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, null), 'nullable', not a.attnotnull,
        'hasDefault', a.atthasdef, 'generated', a.attgenerated <> '') order by a.attname collate "C")
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    coalesce((select jsonb_agg(jsonb_build_object(
        'name', f.conname, 'target', f.confrelid::regclass::text,
        'columns', (select jsonb_agg(a.attname order by k.place) from unnest(f.conkey) with ordinality k (attnum, place)
          join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.attnum),
        'targetColumns', (select jsonb_agg(a.attname order by k.place) from unnest(f.confkey) with ordinality k (attnum, place)
          join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.attnum),
        'isOneToOne', exists (select from pg_index i where i.indrelid = f.conrelid and i.indisunique
          and i.indkey::int2[] @> f.conkey and f.conkey @> i.indkey::int2[])) order by f.conname)
      from pg_constraint f where f.conrelid = c.oid and f.contype = 'f'), '[]') as relationships
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  order by c.relname collate "C"`;

const ROUTINES = `
  select p.proname as name,
    coalesce((select jsonb_agg(jsonb_build_object(
        'name', p.proargnames[i], 'type', format_type(p.proargtypes[i - 1], null),
        'optional', i > p.pronargs - p.pronargdefaults) order by p.proargnames[i] collate "C")
      from generate_series(1, p.pronargs) i), '[]') as args,
    jsonb_build_object(
      'type', format_type(p.prorettype, null),
      'rows', (select jsonb_agg(jsonb_build_object('name', p.proargnames[i], 'type', format_type(p.proallargtypes[i], null))
          order by p.proargnames[i] collate "C")
        from generate_subscripts(p.proargmodes, 1) i where p.proargmodes[i] = 't')) as returns
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace
  order by p.proname collate "C"`;

/** What the API shows of a database. */
export async function readCatalogue(
  postgres: LocalPostgres,
): Promise<{ readonly tables: readonly Table[]; readonly routines: readonly Routine[] }> {
  return {
    tables: (await postgres.sql(TABLES)) as unknown as Table[],
    routines: (await postgres.sql(ROUTINES)) as unknown as Routine[],
  };
}
