import type {
  Clock,
  HumanAnswer,
  HumanRequest,
  OpenRequest,
  RequestStore,
  ResolvedHumanAnswer,
  SessionEvents,
  SettledState,
} from '@semo-office/core';

import { isSameQuestion } from './same-question.ts';

/** An answer, and who gave it. */
export interface Said {
  readonly answer: ResolvedHumanAnswer;
  readonly by: string;
}

/** What {@link LeftRequests} needs. */
export interface LeftRequestsOptions {
  readonly store: RequestStore;
  readonly clock: Clock;
  /** Whose session that is: one that lives `here`, one of another living host, or one that is `gone`. */
  readonly whereabouts: (sessionId: string) => Promise<'here' | 'elsewhere' | 'gone'>;
  readonly onSettled: (event: SessionEvents['request_settled']) => void;
}

/** The requests in the store whose sessions are gone: their hosts died, or left while a conversation could go on. */
export class LeftRequests {
  readonly #options: LeftRequestsOptions;

  constructor(options: LeftRequestsOptions) {
    this.#options = options;
  }

  /**
   * The answer that was kept for this very question; at most once. A question that still waits is taken back: it is asked
   * again now.
   */
  async recall(request: HumanRequest): Promise<HumanAnswer | null> {
    const { conversationId } = request;
    if (conversationId === undefined) return null;
    const { store } = this.#options;
    for (const { request: old, state } of await store.list({ conversationId })) {
      if (!isSameQuestion(old, request)) continue;
      if (state.kind === 'answered' && (await store.give(old.requestId, this.#now()))) return state.answer;
      if (state.kind === 'open' && (await this.#isLeft(old)))
        await this.#settle(old, { kind: 'withdrawn', why: 'asked_again', at: this.#now() });
    }
    return null;
  }

  async list(sessionId?: string): Promise<OpenRequest[]> {
    const left: OpenRequest[] = [];
    for (const { request } of await this.#options.store.list({ state: 'open', sessionId })) {
      if (await this.#isLeft(request))
        left.push({ ...request, session: request.conversationId === undefined ? 'gone' : 'resumable' });
    }
    return left;
  }

  /** Keeps an answer. `false`: there is nothing of that id to answer. */
  async answer(requestId: string, { answer, by }: Said): Promise<boolean> {
    const record = await this.#options.store.get(requestId);
    if (record === null || record.state.kind !== 'open' || !(await this.#isLeft(record.request))) return false;
    return this.#settle(record.request, { kind: 'answered', answer, by, at: this.#now(), givenAt: null });
  }

  /** Whether nobody has it any more, and its time is not over; where it is, that is written down. */
  async #isLeft(request: HumanRequest): Promise<boolean> {
    if ((await this.#options.whereabouts(request.sessionId)) !== 'gone') return false;
    const at = this.#now();
    if (request.expiresAt === undefined || request.expiresAt > at) return true;
    await this.#settle(request, { kind: 'expired', at });
    return false;
  }

  async #settle(request: HumanRequest, state: SettledState): Promise<boolean> {
    const isSettled = await this.#options.store.settle(request.requestId, state);
    if (isSettled) this.#options.onSettled({ request, state, at: state.at });
    return isSettled;
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
