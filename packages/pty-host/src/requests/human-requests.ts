import {
  SemoError,
  type Cancel,
  type Clock,
  type HumanAnswer,
  type HumanRequest,
  type OpenRequest,
  type RequestFault,
  type RequestRecord,
  type RequestStore,
  type ResolvedHumanAnswer,
  type SessionEvents,
  type SettledState,
  type Withdrawal,
} from '@semo-office/core';

import { isSameQuestion } from './same-question.ts';

/** Timers take 31 bits of milliseconds; a deadline further away is looked at again on the way. */
const LONGEST_TIMER_MS = 2 ** 30;
/** How often settled records are looked through for old ones. */
const PRUNE_INTERVAL_MS = 3_600_000;

/** How the waiting for a person ended. */
export type Reply =
  | { readonly kind: 'answered'; readonly answer: HumanAnswer }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'expired' };

/** What {@link HumanRequests} needs. */
export interface HumanRequestsOptions {
  readonly store: RequestStore;
  readonly clock: Clock;
  /** How long settled requests are kept, in milliseconds. */
  readonly retentionMs: number;
  /** Whose session that is: one that lives `here`, one of another living host, or one that is `gone`. */
  readonly whereabouts: (sessionId: string) => Promise<'here' | 'elsewhere' | 'gone'>;
  readonly onSettled: (event: SessionEvents['request_settled']) => void;
  readonly onFault: (fault: RequestFault) => void;
}

/** An answer, and who gave it. */
interface Said {
  readonly answer: ResolvedHumanAnswer;
  readonly by: string;
}

interface Waiting {
  readonly request: HumanRequest;
  /** Resolves when the store has it, or could not take it. */
  readonly stored: Promise<void>;
  readonly reply: (reply: Reply) => void;
  isTold: boolean;
  cancelExpiry: Cancel;
}

/**
 * The questions that wait for a person: those of agents that live here, and in the store those that dead hosts have left.
 * What is told has been kept before.
 */
export class HumanRequests {
  readonly #options: HumanRequestsOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #writing = new Set<Promise<unknown>>();
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HumanRequestsOptions) {
    this.#options = options;
  }

  /**
   * The answer that was given to this very question while nobody could hear it; at most once. A question that still waits
   * from then is taken back: it is asked again now.
   */
  async recall(request: HumanRequest): Promise<HumanAnswer | null> {
    const { conversationId } = request;
    if (conversationId === undefined) return null;
    const { store } = this.#options;
    for (const { request: old, state } of await this.#attempt(() => store.list({ conversationId }), [])) {
      if (!isSameQuestion(old, request)) continue;
      if (state.kind === 'answered' && (await this.#attempt(() => store.give(old.requestId, this.#now()), false)))
        return state.answer;
      if (state.kind === 'open' && (await this.#options.whereabouts(old.sessionId)) === 'gone')
        await this.#settleLeft(old, { kind: 'withdrawn', why: 'asked_again', at: this.#now() });
    }
    return null;
  }

  /** Asks; resolves when the waiting is over. `onOpen` is called once the request is kept, unless it is over by then. */
  async open(
    request: HumanRequest,
    { withdrawn, onOpen }: { readonly withdrawn: AbortSignal; readonly onOpen: () => void },
  ): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    const stored = this.#put(request);
    const waiting: Waiting = { request, stored, reply: resolve, isTold: false, cancelExpiry: () => undefined };
    this.#waiting.set(request.requestId, waiting);
    const onAbort = () => this.#withdraw(waiting, 'agent');
    withdrawn.addEventListener('abort', onAbort, { once: true });
    if (withdrawn.aborted) onAbort();
    await stored;
    if (this.#waiting.has(request.requestId)) {
      waiting.isTold = true;
      onOpen();
      this.#watchDeadline(waiting);
    }
    return promise.finally(() => withdrawn.removeEventListener('abort', onAbort));
  }

  /** @throws SemoError `request_unknown`. */
  async answer(requestId: string, { answer, by }: Said): Promise<void> {
    const waiting = this.#waiting.get(requestId);
    const isTaken =
      waiting === undefined
        ? await this.#answerLeft(requestId, { answer, by })
        : await this.#answerWaiting(waiting, { answer, by });
    if (isTaken) return;
    throw new SemoError(
      'request_unknown',
      `No open request ${requestId}: it was never made, is already answered, was withdrawn or has expired.`,
    );
  }

  /** A request of a session that waits now. */
  waitingOf(sessionId: string): HumanRequest | null {
    const waiting = [...this.#waiting.values()].find(
      ({ request, isTold }) => isTold && request.sessionId === sessionId,
    );
    return waiting?.request ?? null;
  }

  /** Takes back all requests of a session. */
  withdraw(sessionId: string, why: Withdrawal): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.request.sessionId === sessionId) this.#withdraw(waiting, why);
    }
  }

  /** The host leaves. What a later session can still ask again stays open; everything else is taken back. */
  async leave(): Promise<void> {
    for (const waiting of this.#waiting.values()) {
      if (waiting.request.conversationId === undefined) this.#withdraw(waiting, 'session_ended');
      else if (this.#take(waiting)) waiting.reply({ kind: 'withdrawn' });
    }
    await this.settled();
  }

  /** Resolves when all that is under way has been written. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writing);
  }

  async list(sessionId?: string): Promise<OpenRequest[]> {
    await this.settled();
    const living = [...this.#waiting.values()].filter(
      ({ request, isTold }) => isTold && (sessionId === undefined || sessionId === request.sessionId),
    );
    const left: OpenRequest[] = [];
    for (const { request } of await this.#options.store.list({ state: 'open', sessionId })) {
      if (this.#waiting.has(request.requestId) || (await this.#options.whereabouts(request.sessionId)) !== 'gone')
        continue;
      if (await this.#expireLeft(request)) continue;
      left.push({ ...request, session: request.conversationId === undefined ? 'gone' : 'resumable' });
    }
    return [...left, ...living.map(({ request }) => ({ ...request, session: 'alive' as const }))];
  }

  async #answerWaiting(waiting: Waiting, { answer, by }: Said): Promise<boolean> {
    if (!waiting.isTold || !this.#take(waiting)) return false;
    const { requestId } = waiting.request;
    const at = this.#now();
    const state = { kind: 'answered', answer, by, at, givenAt: at } as const;
    if (await this.#record(waiting, state)) {
      waiting.reply({ kind: 'answered', answer });
      return true;
    }
    // Somebody was faster in the store; the agent gets what is written there.
    const known = await this.#attempt(() => this.#options.store.get(requestId), null);
    waiting.reply(known === null ? { kind: 'answered', answer } : replyOf(known));
    return known === null;
  }

  /** An answer that no agent waits for here: it is kept. */
  async #answerLeft(requestId: string, { answer, by }: Said): Promise<boolean> {
    await this.settled();
    const { store, whereabouts } = this.#options;
    const record = await store.get(requestId);
    if (record === null || record.state.kind !== 'open') return false;
    const { request } = record;
    if ((await whereabouts(request.sessionId)) !== 'gone' || (await this.#expireLeft(request))) return false;
    return this.#settleLeft(request, { kind: 'answered', answer, by, at: this.#now(), givenAt: null });
  }

  #withdraw(waiting: Waiting, why: Withdrawal): void {
    if (!this.#take(waiting)) return;
    waiting.reply({ kind: 'withdrawn' });
    this.#track(this.#record(waiting, { kind: 'withdrawn', why, at: this.#now() }));
  }

  #watchDeadline(waiting: Waiting): void {
    const { expiresAt } = waiting.request;
    if (expiresAt === undefined || !this.#waiting.has(waiting.request.requestId)) return;
    const leftMs = expiresAt - this.#now();
    if (leftMs > 0) {
      const look = () => this.#watchDeadline(waiting);
      waiting.cancelExpiry = this.#options.clock.schedule(Math.min(leftMs, LONGEST_TIMER_MS), look);
    } else if (this.#take(waiting)) {
      const written = this.#record(waiting, { kind: 'expired', at: this.#now() });
      this.#track(written.then(() => waiting.reply({ kind: 'expired' })));
    }
  }

  /** Whoever takes a request settles it. */
  #take(waiting: Waiting): boolean {
    waiting.cancelExpiry();
    return this.#waiting.delete(waiting.request.requestId);
  }

  /** Writes what a waiting request came to, and tells of it. `false`: the store knows better. */
  async #record({ request, stored, isTold }: Waiting, state: SettledState): Promise<boolean> {
    await stored;
    const isSettled = await this.#attempt(() => this.#options.store.settle(request.requestId, state), false);
    if (isTold) this.#options.onSettled({ request, state, at: state.at });
    return isSettled;
  }

  async #settleLeft(request: HumanRequest, state: SettledState): Promise<boolean> {
    const isSettled = await this.#options.store.settle(request.requestId, state);
    if (isSettled) this.#options.onSettled({ request, state, at: state.at });
    return isSettled;
  }

  /** Whether a request that was left is over by its deadline. */
  async #expireLeft(request: HumanRequest): Promise<boolean> {
    if (request.expiresAt === undefined || request.expiresAt > this.#now()) return false;
    await this.#settleLeft(request, { kind: 'expired', at: this.#now() });
    return true;
  }

  async #put(request: HumanRequest): Promise<void> {
    const { store } = this.#options;
    await this.#prune();
    // A question that cannot be kept is asked all the same: it only does not outlive this host.
    await this.#attempt(() => store.put({ request, state: { kind: 'open' } }), undefined);
  }

  async #prune(): Promise<void> {
    const now = this.#now();
    if (now - this.#prunedAt < PRUNE_INTERVAL_MS) return;
    this.#prunedAt = now;
    await this.#attempt(() => this.#options.store.prune(now - this.#options.retentionMs), 0);
  }

  #track(work: Promise<unknown>): void {
    this.#writing.add(work);
    void work.finally(() => this.#writing.delete(work));
  }

  async #attempt<Result>(action: () => Promise<Result>, otherwise: Result): Promise<Result> {
    try {
      return await action();
    } catch (thrown) {
      this.#options.onFault({ place: 'request store', message: SemoError.from(thrown).message });
      return otherwise;
    }
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function replyOf({ state }: RequestRecord): Reply {
  return state.kind === 'answered' ? { kind: 'answered', answer: state.answer } : { kind: 'withdrawn' };
}
