import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  SemoError,
  systemClock,
  type Clock,
  type JobStore,
  type RequestStore,
  type SessionStore,
} from '@semo-office/core';

import { unusable } from './file/unusable.ts';
import type { StoreFault } from './file/store-file.ts';
import { sqliteJobStore } from './job/sqlite-job-store.ts';
import { sqliteRequestStore } from './request/sqlite-request-store.ts';
import { sqliteSessionStore } from './session/sqlite-session-store.ts';
import { StoreLink } from './store-link.ts';

/** A record that could not be read: its place, and what is wrong with it. It is skipped, and hides no other. */
export type SqliteStoreFault = StoreFault;

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /** The file, on a local disk. It and its folder are made where there are none, for this user alone. */
  readonly path: string;
  /** Whose time leases and deadlines go by. Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Told of records that cannot be read. Default: nobody. */
  readonly onFault?: ((fault: SqliteStoreFault) => void) | undefined;
}

/** Everything that is kept in one file. */
export interface SqliteStore {
  /** Several office processes may share them. Closing them leaves the file open for the others here. */
  readonly jobs: JobStore;
  /** For one host at a time. */
  readonly requests: RequestStore;
  /** Sessions and turns; each host writes its own. */
  readonly sessions: SessionStore;
  /** Lets go of the file, once all that was asked before is done. Later calls are refused as `closed`. Twice is once. */
  close(): Promise<void>;
}

/**
 * Opens a store that outlives the process: what has resolved is on disk, also when the process is killed a moment later.
 * The file is read and written in a thread of its own, which keeps no process alive that has nothing else to do.
 *
 * @throws SemoError `store_unusable`: the file is damaged, another program's, a newer version's, or may not be written.
 * @example
 * ```ts
 * const store = await openSqliteStore({ path: '/var/lib/semo/office.sqlite' });
 * await store.jobs.put({ jobId: newId('job'), prompt: 'Fix the test.', agentId: 'ada' });
 * await store.close();
 * ```
 */
export async function openSqliteStore({
  path,
  clock = systemClock,
  onFault = () => undefined,
}: SqliteStoreOptions): Promise<SqliteStore> {
  const link = startThread(resolve(path), onFault);
  await link.opened();
  return {
    jobs: sqliteJobStore(link, clock),
    requests: sqliteRequestStore(link),
    sessions: sqliteSessionStore(link),
    close: () => link.close(),
  };
}

function startThread(path: string, onFault: (fault: StoreFault) => void): StoreLink {
  // Beside this file, in the package as in its sources.
  const file = new URL(import.meta.url.endsWith('.ts') ? 'store-worker.ts' : 'store-worker.js', import.meta.url);
  const worker = new Worker(file, {
    name: 'semo-store',
    workerData: { path },
    // Node 22 calls node:sqlite experimental, once in each process. Nothing else runs in this thread.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const link = new StoreLink(
    {
      send: (call) => worker.postMessage(call, []),
      holdProcess: (hold) => (hold ? worker.ref() : worker.unref()),
      stop: async () => {
        await worker.terminate();
      },
    },
    onFault,
  );
  worker.on('message', (message: unknown) => link.receive(message));
  worker.on('error', (error) => link.lost(threadLost(path, error)));
  worker.on('exit', () => link.lost(threadLost(path)));
  return link;
}

function threadLost(path: string, cause?: unknown): SemoError {
  const why = cause === undefined ? 'ended' : `failed: ${SemoError.from(cause).message}`;
  return unusable(path, { words: `was lost: its thread ${why}. Open it again.`, retryable: true }, cause);
}
