import { advancedTurn, byTurnAge, turnRecordSchema, turnStepSchema, type TurnRecord } from '@semo-office/core';
import { z } from 'zod';

import type { StoreFile } from '../file/store-file.ts';
import { operation } from '../operation.ts';

const KIND = { table: 'turns', schema: turnRecordSchema };

const ADD = `
  INSERT INTO turns (session_id, turn_id, intent_at, ended_at, document)
  VALUES (:sessionId, :turnId, :intentAt, :endedAt, :document)
  ON CONFLICT DO NOTHING`;

const REPLACE = `
  UPDATE turns SET ended_at = :endedAt, document = :document
  WHERE session_id = :sessionId AND turn_id = :turnId`;

const GET = 'SELECT rowid, document FROM turns WHERE session_id = :sessionId AND turn_id = :turnId';
const FORGET = 'DELETE FROM turns WHERE session_id = :sessionId AND turn_id = :turnId AND ended_at IS NULL';

const LIST = `
  SELECT rowid, document FROM turns
  WHERE (:sessionId IS NULL OR session_id = :sessionId)
    AND (:open IS NULL OR (ended_at IS NULL) = :open)`;

const putSchema = z.object({ record: turnRecordSchema });
const turnSchema = z.object({ sessionId: z.string(), turnId: z.string() });
const filterSchema = z.object({ sessionId: z.string().optional(), open: z.boolean().optional() });

/** What a store does with turns. */
export function turnOperations(file: StoreFile) {
  const get = (ids: z.output<typeof turnSchema>): TurnRecord | null => {
    const [record] = file.documents(KIND, GET, ids);
    return record ?? null;
  };
  return {
    putTurn: operation({ what: 'turn record', of: putSchema }, ({ record }) => {
      file.write(() => file.run(ADD, { ...columns(record), intentAt: record.delivery.intentAt }));
    }),
    advanceTurn: operation(
      { what: 'step of a turn', of: turnSchema.extend({ step: turnStepSchema }) },
      ({ step, ...ids }) =>
        file.write(() => {
          const known = get(ids);
          const next = known === null ? null : advancedTurn(known, step);
          if (next !== null) file.run(REPLACE, columns(next));
          return next !== null;
        }),
    ),
    forgetTurn: operation({ what: 'turn id', of: turnSchema }, (ids) => {
      file.write(() => file.run(FORGET, ids));
    }),
    getTurn: operation({ what: 'turn id', of: turnSchema }, get),
    listTurns: operation({ what: 'turn filter', of: filterSchema }, ({ sessionId = null, open }) => {
      const values = { sessionId, open: open === undefined ? null : Number(open) };
      return [...file.documents(KIND, LIST, values)].toSorted(byTurnAge);
    }),
  };
}

function columns(record: TurnRecord) {
  const { sessionId, turnId, delivery } = record;
  const endedAt = delivery.kind === 'ended' ? delivery.endedAt : null;
  return { sessionId, turnId, endedAt, document: JSON.stringify(record) };
}
