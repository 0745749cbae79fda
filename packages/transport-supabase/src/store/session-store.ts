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

import type { Fence } from '../command/command-repository.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import { rowsOf, valueOf } from '../database/rows.ts';
import { storable } from '../database/storable.ts';
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
export function supabaseSessionStore(parts: HostStoreParts): SessionStore {
  const store = { ...parts, door: asStore(parts.door) };
  return {
    ...keptSessions(store),
    ...keptTurns(store),
    async prune(endedBefore) {
      const pruned = await store.door.call('semo_prune_sessions', { ...fenced(store), p_ended_before: endedBefore });
      return valueOf(z.number(), pruned, 'number of records');
    },
  };
}

function keptSessions(parts: HostStoreParts): Pick<SessionStore, 'putSession' | 'getSession' | 'listSessions'> {
  const read = async (where: Where, present: readonly string[] = []): Promise<SessionRecord[]> => {
    const orderBy = ['created_ms', 'session_id'];
    const rows = await parts.door.select({ ...ownRows(parts, where, present), table: 'agent_sessions', orderBy });
    return rowsOf(sessionRowSchema, rows, 'sessions').map(({ record }) => record);
  };
  return {
    async putSession(record) {
      const p_record = storable(parseEdge(sessionRecordSchema, record, { what: 'session' }));
      await parts.door.call('semo_put_session', { ...fenced(parts), p_record });
    },
    getSession: async (sessionId) => (await read({ session_id: sessionId }))[0] ?? null,
    listSessions: ({ hostId, conversationId, open } = {}) =>
      read(
        {
          ...(hostId === undefined ? {} : { record_host: hostId }),
          ...(conversationId === undefined ? {} : { conversation_id: conversationId }),
          ...openness(open),
        },
        endedOnly(open),
      ),
  };
}

function keptTurns(
  parts: HostStoreParts,
): Pick<SessionStore, 'putTurn' | 'advanceTurn' | 'forgetTurn' | 'getTurn' | 'listTurns'> {
  const turn = (sessionId: string, turnId: string) => ({
    ...fenced(parts),
    p_session_id: sessionId,
    p_turn_id: turnId,
  });
  const read = async (where: Where, present: readonly string[] = []): Promise<TurnRecord[]> => {
    const orderBy = ['intent_ms', 'turn_id'];
    const rows = await parts.door.select({ ...ownRows(parts, where, present), table: 'agent_turns', orderBy });
    return rowsOf(turnRowSchema, rows, 'turns').map(({ record }) => record);
  };
  return {
    async putTurn(record) {
      const p_record = storable(parseEdge(turnRecordSchema, record, { what: 'turn' }));
      await parts.door.call('semo_put_turn', { ...fenced(parts), p_record });
    },
    async advanceTurn(sessionId, turnId, step) {
      const p_step = storable(parseEdge(turnStepSchema, step, { what: 'step' }));
      const done = await parts.door.call('semo_advance_turn', { ...turn(sessionId, turnId), p_step });
      return valueOf(z.boolean(), done, 'outcome of a step');
    },
    async forgetTurn(sessionId, turnId) {
      await parts.door.call('semo_forget_turn', turn(sessionId, turnId));
    },
    getTurn: async (sessionId, turnId) => (await read({ session_id: sessionId, turn_id: turnId }))[0] ?? null,
    listTurns: ({ sessionId, open } = {}) =>
      read({ ...(sessionId === undefined ? {} : { session_id: sessionId }), ...openness(open) }, endedOnly(open)),
  };
}

function fenced({ officeId, fence }: HostStoreParts) {
  const { hostId, epoch } = fence();
  return { p_office_id: officeId, p_host_id: hostId, p_epoch: epoch };
}

/** Rows of this host that hold a record: a session may be known here that its host keeps elsewhere. */
function ownRows({ officeId, fence }: HostStoreParts, where: Where, present: readonly string[]) {
  return {
    columns: 'record',
    where: { office_id: officeId, host_id: fence().hostId, ...where },
    present: ['record', ...present],
  };
}

function openness(open: boolean | undefined): Where {
  return open === true ? { ended_ms: null } : {};
}

function endedOnly(open: boolean | undefined): readonly string[] {
  return open === false ? ['ended_ms'] : [];
}
