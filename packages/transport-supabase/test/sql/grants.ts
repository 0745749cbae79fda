import { describe, expect, it } from 'vitest';

import { FUNCTIONS, TABLES } from './exposed.ts';
import type { Stage } from './stage.ts';

/** What strangers may do, from a list of grants. */
const granted = (list: string, owner: string): string =>
  `select case when grantee = 0 then 'public' else grantee::regrole::text end collate "C" as who, privilege_type
   from aclexplode(${list}) where grantee <> ${owner}`;

/** Who may do what, by the catalogue. */
export function describeGrants(stage: () => Stage): void {
  describe('grants', () => {
    tableGrants(stage);
    functionGrants(stage);
  });
}

function tableGrants(stage: () => Stage): void {
  it('lets tables be read by who has a token, and be written by nobody', async () => {
    const rows = await stage().postgres.sql(`
      select c.relname as name, c.relrowsecurity as secured,
        array_agg(a.who || ' ' || a.privilege_type order by a.who, a.privilege_type) as grants
      from pg_class c, lateral (${granted('c.relacl', 'c.relowner')}) a
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'S', 'p', 'f')
      group by 1, 2 order by 1`);
    const grants = ['authenticated SELECT', 'service_role SELECT'];
    expect(rows).toEqual(TABLES.map((name) => ({ name, secured: true, grants })));
  });

  it('lets tables be read by policies alone, which ask for the token once', async () => {
    const policies = await stage().postgres.sql(`
      select tablename, cmd, roles::text, policyname, qual from pg_policies where schemaname = 'public' order by 1, 4`);
    expect(policies.map(({ tablename, policyname }) => `${String(tablename)}: ${String(policyname)}`)).toEqual(
      TABLES.flatMap((table) =>
        (table === 'agent_jobs' ? ['office'] : ['host', 'office']).map((whose) => `${table}: its own ${whose}`),
      ),
    );
    for (const { cmd, roles, qual } of policies) {
      expect([cmd, roles]).toEqual(['SELECT', '{authenticated}']);
      const asked = String(qual).match(/auth\.jwt\(\)/g)?.length;
      expect(String(qual).match(/\( SELECT auth\.jwt\(\)/g)?.length).toBe(asked);
    }
  });
}

function functionGrants(stage: () => Stage): void {
  it('lets functions be called by who has a token, each safe from what lies on the search path', async () => {
    const rows = await stage().postgres.sql(`
      select p.proname as name, p.prosecdef as definer, p.proconfig as config,
        array_agg(a.who order by a.who) as grants
      from pg_proc p, lateral (${granted('p.proacl', 'p.proowner')}) a
      where p.pronamespace = 'public'::regnamespace
      group by p.oid order by 1`);
    const all = FUNCTIONS.toSorted();
    const config = ['search_path=""'];
    const grants = ['authenticated', 'service_role'];
    expect(rows).toEqual(all.map((name) => ({ name, definer: true, config, grants })));
  });

  it('lets nobody into the schema behind', async () => {
    const [schema] = await stage().postgres.sql(`
      select (select count(*)::int from aclexplode(nspacl) a where a.grantee <> nspowner) as strangers
      from pg_namespace where nspname = 'semo'`);
    expect(schema).toEqual({ strangers: 0 });
    const open = await stage().postgres.sql(`
      select p.proname from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      where p.pronamespace = 'semo'::regnamespace and a.grantee <> p.proowner`);
    expect(open).toEqual([]);
    const careless = await stage().postgres.sql(`
      select proname from pg_proc
      where pronamespace = 'semo'::regnamespace and proconfig is distinct from array['search_path=""']`);
    expect(careless).toEqual([]);
    for (const role of ['anon', 'authenticated', 'service_role'] as const)
      await expect(stage().postgres.sqlAs({ role }, 'select semo.now()')).rejects.toMatchObject({ code: '42501' });
  });
}
