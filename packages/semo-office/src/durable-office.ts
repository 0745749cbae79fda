import { SemoError, checkOfficeOptions, type Office, type OfficeFault } from '@semo-office/core';
import { openSqliteStore, type SqliteStore, type SqliteStoreFault } from '@semo-office/store-sqlite';

import { createLocalOffice, type LocalOfficeOptions } from './local-office.ts';
import { openLocalOfficeSchema } from './local-options.ts';

/** Options of {@link openLocalOffice}. */
export interface OpenLocalOfficeOptions extends LocalOfficeOptions {
  /**
   * The SQLite file that jobs, sessions and requests are kept in, on a local disk; made if there is none. Offices that share
   * it share its jobs: let them have the same `stateDir`, repositories and agents.
   */
  readonly store: string;
}

/**
 * An office on this machine whose jobs, sessions and requests outlive it: whoever opens the same file next goes on with
 * what was left. Where options name a store of their own (`jobs`, `requestStore`, `sessionStore`), that is used instead.
 *
 * @throws SemoError `store_unusable`: the file cannot be used; `invalid_argument`: an option that cannot be used.
 * @example
 * ```ts
 * const office = await openLocalOffice({ store: '/var/lib/semo/office.sqlite', repositories: { app: '/srv/app' }, agents });
 * const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Add a health page and commit.' });
 * console.log((await office.waitForJob(jobId)).outcome);
 * await office.close({ running: 'leave' }); // what still runs is gone on with by the next office
 * ```
 */
export async function openLocalOffice(given: OpenLocalOfficeOptions): Promise<Office> {
  checkOfficeOptions(given, openLocalOfficeSchema);
  const { store: path, ...options } = given;
  const { clock, onFault = printFault } = options;
  const store = await openSqliteStore({ path, clock, onFault: (fault) => onFault(unreadable(fault)) });
  try {
    return closingToo(createLocalOffice(withStores(options, store)), store);
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

function withStores(options: LocalOfficeOptions, store: SqliteStore): LocalOfficeOptions {
  const { jobs = store.jobs, requestStore = store.requests, sessionStore = store.sessions } = options;
  return { ...options, jobs, requestStore, sessionStore };
}

function closingToo(office: Office, store: SqliteStore): Office {
  return {
    ...office,
    close: async (how) => {
      try {
        await office.close(how);
      } finally {
        await store.close();
      }
    },
  };
}

function unreadable({ place, message }: SqliteStoreFault): OfficeFault {
  return { jobId: null, error: new SemoError('store_unusable', `${place}: ${message}`) };
}

function printFault({ error }: OfficeFault): void {
  // oxlint-disable-next-line no-console -- nobody said where else to tell of it
  console.error(`semo-office: ${error.message}`);
}
