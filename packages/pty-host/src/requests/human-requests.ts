import {
  SemoError,
  type Cancel,
  type HumanAnswer,
  type HumanRequest,
  type OpenRequest,
  type RequestFault,
  type SettledState,
  type Withdrawal,
} from '@semo-office/core';

import { LeftRequests, type LeftRequestsOptions, type Said } from './left-requests.ts';

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
export interface HumanRequestsOptions extends LeftRequestsOptions {
  /** How long settled requests are kept, in milliseconds. */
  readonly retentionMs: number;
  readonly onFault: (fault: RequestFault) => void;
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
  readonly #left: LeftRequests;
  readonly #waiting = new Map<string, Waiting>();
  readonly #writing = new Set<Promise<unknown>>();
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HumanRequestsOptions) {
    this.#options = options;
    this.#left = new LeftRequests(options);
  }

  /** The answer that was given to this very question while nobody could hear it; see {@link LeftRequests.recall}. */
  async recall(request: HumanRequest): Promise<HumanAnswer | null> {
    return this.#attempt(() => this.#left.recall(request), null);
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
        ? await this.settled().then(() => this.#left.answer(requestId, { answer, by }))
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
    const left = (await this.#left.list(sessionId)).filter(({ requestId }) => !this.#waiting.has(requestId));
    return [...left, ...living.map(({ request }) => ({ ...request, session: 'alive' as const }))];
  }

  async #answerWaiting(waiting: Waiting, { answer, by }: Said): Promise<boolean> {
    if (!waiting.isTold || !this.#take(waiting)) return false;
    const at = this.#now();
    const state: SettledState = { kind: 'answered', answer, by, at, givenAt: at };
    const inForce = await this.#record(waiting, state);
    waiting.reply(replyOf(inForce));
    return inForce === state;
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

  /** Writes what a waiting request came to, and tells of it. Where another was faster, what that one wrote is in force. */
  async #record({ request, stored, isTold }: Waiting, state: SettledState): Promise<SettledState> {
    const { store, onSettled } = this.#options;
    await stored;
    const isOurs = await this.#attempt(() => store.settle(request.requestId, state), false);
    const known = isOurs ? null : await this.#attempt(() => store.get(request.requestId), null);
    const inForce = known === null || known.state.kind === 'open' ? state : known.state;
    if (isTold) onSettled({ request, state: inForce, at: inForce.at });
    return inForce;
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

function replyOf(state: SettledState): Reply {
  return state.kind === 'answered' ? { kind: 'answered', answer: state.answer } : { kind: state.kind };
}
