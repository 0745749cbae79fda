import type { RequestRecord, RequestState, SettledState } from './request-record.ts';

/** Which records to list; what is left out does not matter. */
export interface RequestFilter {
  readonly state?: RequestState['kind'] | undefined;
  readonly sessionId?: string | undefined;
  readonly conversationId?: string | undefined;
}

/** A record that could not be read. It is skipped, and hides no other. */
export interface RequestFault {
  /** Where the record is, in the store's own terms. */
  readonly place: string;
  readonly message: string;
}

/**
 * Where requests to people are kept, so that they outlive the host that made them. A store belongs to one host at a time,
 * but two at once (the old one not quite gone) never settle a request twice.
 *
 * `describeRequestStoreContract` of `@semo-office/core/testing` is the suite that every store passes.
 */
export interface RequestStore {
  /** Keeps a new request. One that is there already stays as it is. On disk when it resolves, where there is one. */
  put(record: RequestRecord): Promise<void>;
  get(requestId: string): Promise<RequestRecord | null>;
  /** The oldest first. */
  list(filter?: RequestFilter): Promise<RequestRecord[]>;
  /** Settles an open request. Only one caller ever gets `true`; `false`: it is settled already, or there is none. */
  settle(requestId: string, state: SettledState): Promise<boolean>;
  /** Takes an answer that was kept, to give it to the agent. Only one caller ever gets `true`. */
  give(requestId: string, givenAt: number): Promise<boolean>;
  /** Forgets what was settled before that moment, in epoch milliseconds; resolves with how many. Open ones stay. */
  prune(settledBefore: number): Promise<number>;
}

/** Whether a record is one of those a filter asks for. */
export function matchesFilter({ request, state }: RequestRecord, filter: RequestFilter): boolean {
  return (
    (filter.state === undefined || filter.state === state.kind) &&
    (filter.sessionId === undefined || filter.sessionId === request.sessionId) &&
    (filter.conversationId === undefined || filter.conversationId === request.conversationId)
  );
}

/** Orders records by when they were asked. */
export function byAge(one: RequestRecord, other: RequestRecord): number {
  return one.request.askedAt - other.request.askedAt || one.request.requestId.localeCompare(other.request.requestId);
}
