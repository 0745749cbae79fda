import {
  byAge,
  givenRecord,
  isSettledBefore,
  requestRecordSchema,
  settledRecord,
  settledStateSchema,
  type RequestRecord,
} from '@semo-office/core';
import { z } from 'zod';

import type { StoreFile, Values } from '../file/store-file.ts';
import { at, operation } from '../operation.ts';

const KIND = { table: 'requests', schema: requestRecordSchema };

const ADD = `
  INSERT INTO requests (request_id, session_id, conversation_id, state, asked_at, document)
  VALUES (:requestId, :sessionId, :conversationId, :state, :askedAt, :document)
  ON CONFLICT DO NOTHING`;

const LIST = `
  SELECT rowid, document FROM requests
  WHERE (:state IS NULL OR state = :state)
    AND (:sessionId IS NULL OR session_id = :sessionId)
    AND (:conversationId IS NULL OR conversation_id = :conversationId)`;

const GET = 'SELECT rowid, document FROM requests WHERE request_id = :requestId';
const SETTLED = "SELECT rowid, document FROM requests WHERE state <> 'open'";
const REPLACE = 'UPDATE requests SET state = :state, document = :document WHERE request_id = :requestId';
const REMOVE = 'DELETE FROM requests WHERE request_id = :requestId';

const putSchema = z.object({ record: requestRecordSchema });
const requestSchema = z.object({ requestId: z.string() });
const filterSchema = z.object({
  state: z.string().optional(),
  sessionId: z.string().optional(),
  conversationId: z.string().optional(),
});

/** What a store does with requests to people. */
export function requestOperations(file: StoreFile) {
  const get = (requestId: string): RequestRecord | null => {
    const [record] = file.documents(KIND, GET, { requestId });
    return record ?? null;
  };
  const replace = (requestId: string, change: (record: RequestRecord) => RequestRecord | null): boolean =>
    file.write(() => {
      const known = get(requestId);
      const next = known === null ? null : change(known);
      if (next !== null) file.run(REPLACE, { requestId, state: next.state.kind, document: JSON.stringify(next) });
      return next !== null;
    });
  return {
    putRequest: operation({ what: 'request record', of: putSchema }, ({ record }) => {
      file.write(() => file.run(ADD, columns(record)));
    }),
    getRequest: operation({ what: 'request id', of: requestSchema }, ({ requestId }) => get(requestId)),
    listRequests: operation({ what: 'request filter', of: filterSchema }, (filter) => {
      const { state = null, sessionId = null, conversationId = null } = filter;
      return [...file.documents(KIND, LIST, { state, sessionId, conversationId })].toSorted(byAge);
    }),
    settleRequest: operation(
      { what: 'settled state', of: requestSchema.extend({ state: settledStateSchema }) },
      ({ requestId, state }) => replace(requestId, (record) => settledRecord(record, state)),
    ),
    giveRequest: operation(
      { what: 'request id', of: requestSchema.extend({ givenAt: at }) },
      ({ requestId, givenAt }) => replace(requestId, (record) => givenRecord(record, givenAt)),
    ),
    pruneRequests: operation({ what: 'moment', of: z.object({ settledBefore: at }) }, ({ settledBefore }) =>
      file.write(() => {
        const settled = [...file.documents(KIND, SETTLED)];
        const old = settled.filter((record) => isSettledBefore(record, settledBefore));
        for (const { request } of old) file.run(REMOVE, { requestId: request.requestId });
        return old.length;
      }),
    ),
  };
}

function columns(record: RequestRecord): Values {
  const { requestId, sessionId, conversationId = null, askedAt } = record.request;
  return { requestId, sessionId, conversationId, state: record.state.kind, askedAt, document: JSON.stringify(record) };
}
