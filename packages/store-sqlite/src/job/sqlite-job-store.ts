import type { Clock, JobStore } from '@semo-office/core';

import type { StoreLink } from '../store-link.ts';

/** The jobs of a store whose file is in another thread. */
export function sqliteJobStore(link: StoreLink, clock: Clock): JobStore {
  return {
    put: (job, lease) => link.call('putJob', { job, lease, at: clock.now() }),
    get: (jobId) => link.call('getJob', { jobId }),
    list: ({ state, ...filter } = {}) => link.call('listJobs', { ...filter, state: state && [...state] }),
    claim: ({ owner, leaseMs, overdue }) => link.call('claimJob', { owner, leaseMs, overdue, at: clock.now() }),
    renew: (ref, leaseMs) => link.call('renewJob', { ref, leaseMs, at: clock.now() }),
    change: (ref, change) => link.call('changeJob', { ref, change, at: clock.now() }),
    requestCancel: (jobId) => link.call('cancelJob', { jobId, at: clock.now() }),
    reopen: (jobId, how) => link.call('reopenJob', { jobId, how, at: clock.now() }),
    markReported: (jobId, ending) => link.call('markJobReported', { jobId, ending }),
    prune: (endedBefore) => link.call('pruneJobs', { endedBefore }),
    async close() {
      // Requests and sessions are in the same file: it is closed by the store that has them all.
    },
  };
}
