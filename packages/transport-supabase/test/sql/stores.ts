import {
  describeJobStoreContract,
  describeRequestStoreContract,
  describeSessionStoreContract,
} from '@semo-office/core/testing';
import { describe } from 'vitest';

import { jobStoreOf, requestStoreOf, sessionStoreOf } from './row-stores.ts';
import type { Stage } from './stage.ts';

/** What the library's own suites say of our functions. */
export function describeStores(stage: () => Stage): void {
  describe('the contracts of core', () => {
    describeJobStoreContract('our functions', async () => {
      const office = stage().office();
      return { store: jobStoreOf(office), reopen: () => jobStoreOf(office), pass: (ms) => stage().pass(ms) };
    });
    describeSessionStoreContract('our functions', async () => {
      const host = await stage().office().register('h1');
      return { store: sessionStoreOf(host), reopen: () => sessionStoreOf(host) };
    });
    describeRequestStoreContract('our functions', async () => {
      const host = await stage().office().register('h1');
      return { store: requestStoreOf(host), reopen: () => requestStoreOf(host) };
    });
  });
}
