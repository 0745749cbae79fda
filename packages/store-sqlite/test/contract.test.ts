import {
  FakeClock,
  describeJobStoreContract,
  describeRequestStoreContract,
  describeSessionStoreContract,
} from '@semo-office/core/testing';
import { afterAll, beforeAll, describe } from 'vitest';

import { inThisThread, inWorker, twoStores, type TwoStores } from './opened-stores.ts';

// Of each kind one pair for all tests: a thread that starts on sources takes its time.
for (const [where, open] of Object.entries({ 'in a worker': inWorker, 'in this thread': inThisThread }))
  describe(`SQLite ${where}`, () => {
    const clock = new FakeClock();
    let stores: TwoStores;
    beforeAll(async () => {
      stores = await twoStores(open, clock);
    });
    afterAll(() => stores.close());
    const close = async () => stores.empty();

    describeJobStoreContract('SQLite', async () => {
      const pass = (ms: number) => clock.advance(ms);
      return { store: stores.one.jobs, reopen: () => stores.other.jobs, pass, close };
    });
    describeRequestStoreContract('SQLite', async () => {
      return { store: stores.one.requests, reopen: () => stores.other.requests, close };
    });
    describeSessionStoreContract('SQLite', async () => {
      return { store: stores.one.sessions, reopen: () => stores.other.sessions, close };
    });
  });
