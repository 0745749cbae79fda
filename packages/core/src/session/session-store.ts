import type { SessionRecord, TurnRecord, TurnStep } from './session-record.ts';

/** Which sessions to list; what is left out does not matter. */
export interface SessionFilter {
  readonly hostId?: string | undefined;
  readonly conversationId?: string | undefined;
  /** `true`: those that have not ended. `false`: those that have. */
  readonly open?: boolean | undefined;
}

/** Which turns to list; what is left out does not matter. */
export interface TurnFilter {
  readonly sessionId?: string | undefined;
  /** `true`: those that have not ended. `false`: those that have. */
  readonly open?: boolean | undefined;
}

/** A record that could not be read, or not be written. One that cannot be read is skipped, and hides no other. */
export interface SessionFault {
  /** Where the record is, in the store's own terms. */
  readonly place: string;
  readonly message: string;
}

/**
 * Where a host writes down its sessions and how far each prompt has come, so that this is known when the host is gone.
 * Any number of callers may write at once, also of several processes: a turn never goes back, and only one ends it.
 *
 * `describeSessionStoreContract` of `@semo-office/core/testing` is the suite that every store passes.
 */
export interface SessionStore {
  /** Keeps a session, or what is now known of it. One that has ended stays as it is. */
  putSession(record: SessionRecord): Promise<void>;
  getSession(sessionId: string): Promise<SessionRecord | null>;
  /** The oldest first, by when they were created. */
  listSessions(filter?: SessionFilter): Promise<SessionRecord[]>;
  /** Keeps a new turn. One that is there already stays as it is. */
  putTurn(record: TurnRecord): Promise<void>;
  /**
   * Takes a turn a step further; it may leave steps out. Only one caller ever gets `true` for a step; `false`: the turn has
   * come as far already, or there is none. It can be read by everybody when it resolves, also after this process is killed.
   */
  advanceTurn(sessionId: string, turnId: string, step: TurnStep): Promise<boolean>;
  /** Forgets a turn that never was: its prompt was refused, and who sent it has been told. One that has ended stays. */
  forgetTurn(sessionId: string, turnId: string): Promise<void>;
  getTurn(sessionId: string, turnId: string): Promise<TurnRecord | null>;
  /** The oldest first, by when they were to be sent. */
  listTurns(filter?: TurnFilter): Promise<TurnRecord[]>;
  /**
   * Forgets turns that ended before that moment, in epoch milliseconds, then sessions that ended before it and have no turn
   * left; resolves with how many records that were. What is open stays.
   */
  prune(endedBefore: number): Promise<number>;
}

/** Whether a session is one of those a filter asks for. */
export function matchesSessionFilter(record: SessionRecord, filter: SessionFilter): boolean {
  return (
    (filter.hostId === undefined || filter.hostId === record.hostId) &&
    (filter.conversationId === undefined || filter.conversationId === record.conversationId) &&
    (filter.open === undefined || filter.open === (record.endedAt === null))
  );
}

/** Whether a turn is one of those a filter asks for. */
export function matchesTurnFilter({ sessionId, delivery }: TurnRecord, filter: TurnFilter): boolean {
  return (
    (filter.sessionId === undefined || filter.sessionId === sessionId) &&
    (filter.open === undefined || filter.open === (delivery.kind !== 'ended'))
  );
}

/** Orders sessions by when they were created. */
export function bySessionAge(one: SessionRecord, other: SessionRecord): number {
  return one.info.createdAt - other.info.createdAt || compare(one.sessionId, other.sessionId);
}

/** Orders turns by when they were to be sent. */
export function byTurnAge(one: TurnRecord, other: TurnRecord): number {
  return one.delivery.intentAt - other.delivery.intentAt || compare(one.turnId, other.turnId);
}

/** Code units, as a database compares them too. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
