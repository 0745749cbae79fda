import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MessageChannel } from 'node:worker_threads';
import { systemClock, type Clock } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';

import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../src/index.ts';
import { sqliteJobStore } from '../src/job/sqlite-job-store.ts';
import { sqliteRequestStore } from '../src/request/sqlite-request-store.ts';
import { sqliteSessionStore } from '../src/session/sqlite-session-store.ts';
import { StoreLink } from '../src/store-link.ts';
import { serveStore } from '../src/store-service.ts';

/** Node options under which processes and threads of a test run on sources. */
export const FROM_SOURCES = `--import=${new URL('../../../tools/from-sources.ts', import.meta.url).href}`;

// Worker threads read it when they start.
process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} ${FROM_SOURCES}`;

/** Opens a store as users do: its file is in a worker thread. */
export const inWorker = openSqliteStore;

/** Opens a store whose file is in this thread, where its coverage is seen and a debugger reaches it. */
export async function inThisThread({
  path,
  clock = systemClock,
  onFault = () => undefined,
}: SqliteStoreOptions): Promise<SqliteStore> {
  const { port1, port2 } = new MessageChannel();
  const link = new StoreLink(
    {
      send: (call) => port1.postMessage(call),
      holdProcess: (hold) => (hold ? port1.ref() : port1.unref()),
      stop: async () => port1.close(),
    },
    onFault,
  );
  port1.on('message', (message: unknown) => link.receive(message));
  serveStore(path, port2);
  await link.opened();
  return {
    jobs: sqliteJobStore(link, clock),
    requests: sqliteRequestStore(link),
    sessions: sqliteSessionStore(link),
    close: () => link.close(),
  };
}

/** Two stores over one new file, as two processes would have them. */
export interface TwoStores {
  readonly one: SqliteStore;
  readonly other: SqliteStore;
  /** Forgets everything that is kept. */
  readonly empty: () => void;
  readonly close: () => Promise<void>;
}

/** See {@link TwoStores}. */
export async function twoStores(open: typeof inThisThread, clock: Clock): Promise<TwoStores> {
  const folder = await temporaryFolder('semo-store-');
  const path = join(folder.path, 'state', 'office.sqlite');
  const [one, other] = [await open({ path, clock }), await open({ path, clock })];
  const database = new DatabaseSync(path);
  return {
    one,
    other,
    empty: () => database.exec('DELETE FROM jobs; DELETE FROM requests; DELETE FROM sessions; DELETE FROM turns'),
    async close() {
      database.close();
      await one.close();
      await other.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
