import {
  describeJobStoreContract,
  describeRequestStoreContract,
  describeSessionStoreContract,
} from '@semo-office/core/testing';
import { afterAll, beforeAll, describe } from 'vitest';

import { isGiven, startProject, type OfficeOfProject, type Project } from './project.ts';

/** Time stands still unless a test lets it pass: every time in the database's functions is `semo.now()`. */
const STILL_CLOCK = `
  create table semo.test_clock as select timestamptz '2026-01-01 00:00:00Z' as at;
  create or replace function semo.now() returns timestamptz language sql stable set search_path = '' as
    $$ select at from semo.test_clock $$;
`;

// They need the database's clock in their hands.
describe.skipIf(isGiven)('stores over a local Supabase', () => {
  let project: Project;
  const offices: OfficeOfProject[] = [];
  const begin = (): OfficeOfProject => {
    const office = project.office({ realtime: false });
    offices.push(office);
    return office;
  };
  beforeAll(async () => {
    project = await startProject();
    await project.supabase.sql(STILL_CLOCK);
  });
  afterAll(async () => {
    await Promise.all(offices.map((office) => office.close()));
    await project[Symbol.asyncDispose]();
  });

  describeJobStoreContract('job store', async () => {
    const { server } = begin();
    return {
      store: server.jobStore(),
      reopen: () => server.jobStore(),
      async pass(ms) {
        await project.supabase.sql(`update semo.test_clock set at = at + $1 * interval '1 millisecond'`, [ms]);
      },
    };
  });
  describeSessionStoreContract('session store', async () => {
    const host = await begin().hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    return { store: host.sessionStore, reopen: () => host.sessionStore };
  });
  describeRequestStoreContract('request store', async () => {
    const host = await begin().hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    return { store: host.requestStore, reopen: () => host.requestStore };
  });
});
