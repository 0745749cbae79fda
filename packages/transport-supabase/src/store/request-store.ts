import { parseEdge, requestRecordSchema, settledStateSchema, type RequestStore } from '@semo-office/core';
import { z } from 'zod';

import { rowsOf, valueOf } from '../database/rows.ts';
import { storable } from '../database/storable.ts';
import type { HostStoreParts } from './session-store.ts';
import { asStore } from './store-errors.ts';

const requestRowSchema = z.object({ record: requestRecordSchema });

/** What a host's agents ask of people, in the office's tables. */
export function supabaseRequestStore({ door: apiDoor, officeId, fence }: HostStoreParts): RequestStore {
  const door = asStore(apiDoor);
  const fenced = () => ({ p_office_id: officeId, p_host_id: fence().hostId, p_epoch: fence().epoch });
  const read = async (where: Record<string, string>) => {
    const rows = await door.select({
      table: 'agent_requests',
      columns: 'record',
      where: { office_id: officeId, host_id: fence().hostId, ...where },
      orderBy: ['asked_ms', 'request_id'],
    });
    return rowsOf(requestRowSchema, rows, 'requests').map(({ record }) => record);
  };
  return {
    async put(record) {
      const p_record = storable(parseEdge(requestRecordSchema, record, { what: 'request' }));
      await door.call('semo_put_request', { ...fenced(), p_record });
    },
    get: async (requestId) => (await read({ request_id: requestId }))[0] ?? null,
    list: ({ state, sessionId, conversationId } = {}) =>
      read({
        ...(state === undefined ? {} : { state }),
        ...(sessionId === undefined ? {} : { session_id: sessionId }),
        ...(conversationId === undefined ? {} : { conversation_id: conversationId }),
      }),
    async settle(requestId, state) {
      const p_state = storable(parseEdge(settledStateSchema, state, { what: 'state' }));
      const done = await door.call('semo_settle_request', { ...fenced(), p_request_id: requestId, p_state });
      return valueOf(z.boolean(), done, 'outcome of settling');
    },
    async give(requestId, givenAt) {
      const done = await door.call('semo_give_request', {
        ...fenced(),
        p_request_id: requestId,
        p_given_at: givenAt,
      });
      return valueOf(z.boolean(), done, 'outcome of giving');
    },
    async prune(settledBefore) {
      const pruned = await door.call('semo_prune_requests', { ...fenced(), p_settled_before: settledBefore });
      return valueOf(z.number(), pruned, 'number of requests');
    },
  };
}
