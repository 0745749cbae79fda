import { bySessionAge, sessionRecordSchema, type SessionRecord } from '@semo-office/core';
import { z } from 'zod';

import type { StoreFile } from '../file/store-file.ts';
import { at, operation } from '../operation.ts';

const KIND = { table: 'sessions', schema: sessionRecordSchema };

/** One that has ended stays as it is. */
const PUT = `
  INSERT INTO sessions (session_id, host_id, conversation_id, created_at, ended_at, document)
  VALUES (:sessionId, :hostId, :conversationId, :createdAt, :endedAt, :document)
  ON CONFLICT DO UPDATE SET host_id = excluded.host_id, conversation_id = excluded.conversation_id,
    created_at = excluded.created_at, ended_at = excluded.ended_at, document = excluded.document
  WHERE sessions.ended_at IS NULL`;

const GET = 'SELECT rowid, document FROM sessions WHERE session_id = :sessionId';

const LIST = `
  SELECT rowid, document FROM sessions
  WHERE (:hostId IS NULL OR host_id = :hostId)
    AND (:conversationId IS NULL OR conversation_id = :conversationId)
    AND (:open IS NULL OR (ended_at IS NULL) = :open)`;

const PRUNE_TURNS = 'DELETE FROM turns WHERE ended_at < :endedBefore';
const PRUNE_SESSIONS = `
  DELETE FROM sessions
  WHERE ended_at < :endedBefore AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.session_id = sessions.session_id)`;

const putSchema = z.object({ record: sessionRecordSchema });
const filterSchema = z.object({
  hostId: z.string().optional(),
  conversationId: z.string().optional(),
  open: z.boolean().optional(),
});

/** What a store does with sessions; `prune` is about their turns too. */
export function sessionOperations(file: StoreFile) {
  return {
    putSession: operation({ what: 'session record', of: putSchema }, ({ record }) => {
      file.write(() => file.run(PUT, columns(record)));
    }),
    getSession: operation({ what: 'session id', of: z.object({ sessionId: z.string() }) }, ({ sessionId }) => {
      const [record] = file.documents(KIND, GET, { sessionId });
      return record ?? null;
    }),
    listSessions: operation({ what: 'session filter', of: filterSchema }, (filter) => {
      const { hostId = null, conversationId = null, open } = filter;
      const values = { hostId, conversationId, open: open === undefined ? null : Number(open) };
      return [...file.documents(KIND, LIST, values)].toSorted(bySessionAge);
    }),
    pruneSessions: operation({ what: 'moment', of: z.object({ endedBefore: at }) }, ({ endedBefore }) =>
      file.write(() => file.run(PRUNE_TURNS, { endedBefore }) + file.run(PRUNE_SESSIONS, { endedBefore })),
    ),
  };
}

function columns(record: SessionRecord) {
  const { sessionId, hostId, conversationId, endedAt, info } = record;
  return { sessionId, hostId, conversationId, createdAt: info.createdAt, endedAt, document: JSON.stringify(record) };
}
