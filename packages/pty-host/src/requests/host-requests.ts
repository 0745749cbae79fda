import { join } from 'node:path';
import type { Clock, RequestFault, RequestStore, SessionEvents } from '@semo-office/core';

import { ownerState, readRecord } from '../process/session-record.ts';
import { systemProcessTable } from '../process/system-process-table.ts';
import type { SessionRegistry } from '../session-registry.ts';
import { fileRequestStore } from './file-request-store.ts';
import { HumanRequests } from './human-requests.ts';

const DEFAULT_RETENTION_MS = 30 * 24 * 3_600_000;

/** How a host keeps the requests of its agents. */
export interface HostRequestsOptions {
  readonly stateDir: string;
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  /** Default: files in `<stateDir>/requests`. */
  readonly store?: RequestStore | undefined;
  readonly retentionMs?: number | undefined;
  readonly onFault?: ((fault: RequestFault) => void) | undefined;
  readonly onSettled: (event: SessionEvents['request_settled']) => void;
}

/** The requests of one host, kept where its other state is. */
export function openHostRequests(options: HostRequestsOptions): HumanRequests {
  const { stateDir, registry, clock, onSettled, onFault = () => undefined } = options;
  return new HumanRequests({
    store: options.store ?? fileRequestStore({ folder: join(stateDir, 'requests'), onFault }),
    clock,
    retentionMs: options.retentionMs ?? DEFAULT_RETENTION_MS,
    onSettled,
    onFault,
    async whereabouts(sessionId) {
      if (registry.lives(sessionId)) return 'here';
      // Hosts may share a state folder: what belongs to a living one, or to one we cannot see, is not ours to answer.
      const record = await readRecord(join(stateDir, 'sessions', sessionId));
      const owner = record === null ? 'dead' : ownerState(record, systemProcessTable);
      return owner === 'alive' || owner === 'elsewhere' ? 'elsewhere' : 'gone';
    },
  });
}
