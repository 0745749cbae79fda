import type { RequestStore } from '@semo-office/core';

import type { StoreLink } from '../store-link.ts';

/** The requests of a store whose file is in another thread. */
export function sqliteRequestStore(link: StoreLink): RequestStore {
  return {
    put: (record) => link.call('putRequest', { record }),
    get: (requestId) => link.call('getRequest', { requestId }),
    list: (filter = {}) => link.call('listRequests', filter),
    settle: (requestId, state) => link.call('settleRequest', { requestId, state }),
    give: (requestId, givenAt) => link.call('giveRequest', { requestId, givenAt }),
    prune: (settledBefore) => link.call('pruneRequests', { settledBefore }),
  };
}
