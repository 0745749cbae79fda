import { parseEdge } from '../parse-edge.ts';
import {
  advancedTurn,
  sessionRecordSchema,
  turnRecordSchema,
  turnStepSchema,
  type SessionRecord,
  type TurnRecord,
} from './session-record.ts';
import {
  bySessionAge,
  byTurnAge,
  matchesSessionFilter,
  matchesTurnFilter,
  type SessionStore,
} from './session-store.ts';

/**
 * Keeps sessions and turns in memory: they are gone with the process. For tests, and for hosts that want nothing on disk.
 *
 * @example
 * ```ts
 * const sessions = createPtySessionManager({ sessionStore: memorySessionStore() });
 * ```
 */
export function memorySessionStore(): SessionStore {
  return new MemorySessionStore();
}

class MemorySessionStore implements SessionStore {
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #turns = new Map<string, TurnRecord>();

  async putSession(record: SessionRecord): Promise<void> {
    const parsed = parseEdge(sessionRecordSchema, record, { what: 'session record' });
    const known = this.#sessions.get(parsed.sessionId);
    if (known === undefined || known.endedAt === null) this.#sessions.set(parsed.sessionId, structuredClone(parsed));
  }

  async getSession(sessionId: string): Promise<SessionRecord | null> {
    return structuredClone(this.#sessions.get(sessionId) ?? null);
  }

  async listSessions(filter: Parameters<SessionStore['listSessions']>[0] = {}): Promise<SessionRecord[]> {
    const wanted = [...this.#sessions.values()].filter((record) => matchesSessionFilter(record, filter));
    return structuredClone(wanted.toSorted(bySessionAge));
  }

  async putTurn(record: TurnRecord): Promise<void> {
    const parsed = parseEdge(turnRecordSchema, record, { what: 'turn record' });
    const key = keyOf(parsed.sessionId, parsed.turnId);
    if (!this.#turns.has(key)) this.#turns.set(key, structuredClone(parsed));
  }

  async advanceTurn(...[sessionId, turnId, step]: Parameters<SessionStore['advanceTurn']>): Promise<boolean> {
    const parsed = parseEdge(turnStepSchema, step, { what: 'step of a turn' });
    const known = this.#turns.get(keyOf(sessionId, turnId));
    const next = known === undefined ? null : advancedTurn(known, structuredClone(parsed));
    if (next !== null) this.#turns.set(keyOf(sessionId, turnId), next);
    return next !== null;
  }

  async forgetTurn(sessionId: string, turnId: string): Promise<void> {
    const key = keyOf(sessionId, turnId);
    if (this.#turns.get(key)?.delivery.kind !== 'ended') this.#turns.delete(key);
  }

  async getTurn(sessionId: string, turnId: string): Promise<TurnRecord | null> {
    return structuredClone(this.#turns.get(keyOf(sessionId, turnId)) ?? null);
  }

  async listTurns(filter: Parameters<SessionStore['listTurns']>[0] = {}): Promise<TurnRecord[]> {
    const wanted = [...this.#turns.values()].filter((record) => matchesTurnFilter(record, filter));
    return structuredClone(wanted.toSorted(byTurnAge));
  }

  async prune(endedBefore: number): Promise<number> {
    const before = this.#sessions.size + this.#turns.size;
    for (const [key, { delivery }] of this.#turns)
      if (delivery.kind === 'ended' && delivery.endedAt < endedBefore) this.#turns.delete(key);
    const withTurns = new Set([...this.#turns.values()].map(({ sessionId }) => sessionId));
    for (const [sessionId, { endedAt }] of this.#sessions)
      if (endedAt !== null && endedAt < endedBefore && !withTurns.has(sessionId)) this.#sessions.delete(sessionId);
    return before - this.#sessions.size - this.#turns.size;
  }
}

/** Ids hold no slash. */
function keyOf(sessionId: string, turnId: string): string {
  return `${sessionId}/${turnId}`;
}
