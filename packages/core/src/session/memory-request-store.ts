import { parseEdge } from '../parse-edge.ts';
import {
  givenRecord,
  isSettledBefore,
  requestRecordSchema,
  settledRecord,
  settledStateSchema,
  type RequestRecord,
} from './request-record.ts';
import { byAge, matchesFilter, type RequestStore } from './request-store.ts';

/**
 * Keeps requests in memory: they are gone with the process. For tests, and for offices that want nothing on disk.
 *
 * @example
 * ```ts
 * const sessions = createPtySessionManager({ requestStore: memoryRequestStore() });
 * ```
 */
export function memoryRequestStore(): RequestStore {
  const records = new Map<string, RequestRecord>();
  const replace = (requestId: string, change: (record: RequestRecord) => RequestRecord | null): boolean => {
    const known = records.get(requestId);
    const next = known === undefined ? null : change(known);
    if (next !== null) records.set(requestId, next);
    return next !== null;
  };
  return {
    async put(record) {
      const parsed = parseEdge(requestRecordSchema, record, { what: 'request record' });
      const { requestId } = parsed.request;
      if (!records.has(requestId)) records.set(requestId, structuredClone(parsed));
    },
    async get(requestId) {
      return structuredClone(records.get(requestId) ?? null);
    },
    async list(filter = {}) {
      const wanted = [...records.values()].filter((record) => matchesFilter(record, filter));
      return structuredClone(wanted.toSorted(byAge));
    },
    async settle(requestId, state) {
      const parsed = parseEdge(settledStateSchema, state, { what: 'settled state' });
      return replace(requestId, (record) => settledRecord(record, structuredClone(parsed)));
    },
    async give(requestId, givenAt) {
      return replace(requestId, (record) => givenRecord(record, givenAt));
    },
    async prune(settledBefore) {
      const old = [...records].filter(([, record]) => isSettledBefore(record, settledBefore));
      for (const [requestId] of old) records.delete(requestId);
      return old.length;
    },
  };
}
