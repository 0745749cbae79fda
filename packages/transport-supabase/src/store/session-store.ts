import {
  parseEdge,
  sessionRecordSchema,
  turnRecordSchema,
  turnStepSchema,
  type SessionRecord,
  type SessionStore,
  type TurnRecord,
} from '@semo-office/core';
import { z } from 'zod';

import { toJson, type Fence } from '../command/command-repository.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import { rowsOf, valueOf } from '../database/rows.ts';
import { asStore } from './store-errors.ts';

/** What a host's stores need. */
export interface HostStoreParts {
  readonly door: DatabaseDoor;
  readonly officeId: string;
  /** Under what the host writes now. */
  readonly fence: () => Fence;
}

type Where = Record<string, string | null>;

const sessionRowSchema = z.object({ record: sessionRecordSchema });
const turnRowSchema = z.object({ record: turnRecordSchema });

/** A host's sessions and turns in the office's tables; what it writes is refused once it has been given up. */
export function supabaseSessionStore({ door: apiDoor, officeId, fence }: HostStoreParts): SessionStore {
  const door = asStore(apiDoor);
  const fenced = () => ({ p_office_id: officeId, p_host_id: fence().hostId, p_epoch: fence().epoch });
  const turn = (sessionId: string, turnId: string) => ({ ...fenced(), p_session_id: sessionId, p_turn_id: turnId });
  const readSessions = async (where: Where, present: readonly string[] = []): Promise<SessionRecord[]> => {
    const rows = await door.select({
      table: 'agent_sessions',
      columns: 'record',
      where: { office_id: officeId, host_id: fence().hostId, ...where },
      present: ['record', ...present],
      orderBy: ['created_ms', 'session_id'],
    });
    return rowsOf(sessionRowSchema, rows, 'sessions').map(({ record }) => record);
  };
  const readTurns = async (where: Where, present: readonly string[] = []): Promise<TurnRecord[]> => {
    const rows = await door.select({
      table: 'agent_turns',
      columns: 'record',
      where: { office_id: officeId, host_id: fence().hostId, ...where },
      present: ['record', ...present],
      orderBy: ['intent_ms', 'turn_id'],
    });
    return rowsOf(turnRowSchema, rows, 'turns').map(({ record }) => record);
  };
  return {
    async putSession(record) {
      const p_record = toJson(parseEdge(sessionRecordSchema, record, { what: 'session' }));
      await door.call('semo_put_session', { ...fenced(), p_record });
    },
    getSession: async (sessionId) => (await readSessions({ session_id: sessionId }))[0] ?? null,
    listSessions: ({ hostId, conversationId, open } = {}) =>
      readSessions(
        {
          ...(hostId === undefined ? {} : { record_host: hostId }),
          ...(conversationId === undefined ? {} : { conversation_id: conversationId }),
          ...openness(open),
        },
        open === false ? ['ended_ms'] : [],
      ),
    async putTurn(record) {
      const p_record = toJson(parseEdge(turnRecordSchema, record, { what: 'turn' }));
      await door.call('semo_put_turn', { ...fenced(), p_record });
    },
    async advanceTurn(sessionId, turnId, step) {
      const p_step = toJson(parseEdge(turnStepSchema, step, { what: 'step' }));
      const done = await door.call('semo_advance_turn', { ...turn(sessionId, turnId), p_step });
      return valueOf(z.boolean(), done, 'outcome of a step');
    },
    async forgetTurn(sessionId, turnId) {
      await door.call('semo_forget_turn', turn(sessionId, turnId));
    },
    getTurn: async (sessionId, turnId) => (await readTurns({ session_id: sessionId, turn_id: turnId }))[0] ?? null,
    listTurns: ({ sessionId, open } = {}) =>
      readTurns(
        { ...(sessionId === undefined ? {} : { session_id: sessionId }), ...openness(open) },
        open === false ? ['ended_ms'] : [],
      ),
    async prune(endedBefore) {
      const pruned = await door.call('semo_prune_sessions', { ...fenced(), p_ended_before: endedBefore });
      return valueOf(z.number(), pruned, 'number of records');
    },
  };
}

function openness(open: boolean | undefined): Where {
  return open === true ? { ended_ms: null } : {};
}
