import { SemoError, newId, type Clock, type HumanAnswer, type HumanRequest } from '@semo-office/core';

interface OpenRequest {
  readonly request: HumanRequest;
  readonly settle: (answer: HumanAnswer | null) => void;
}

/** The questions that wait for a person. */
export class HumanRequests {
  readonly #open = new Map<string, OpenRequest>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Opens a request; `answer` resolves with what was said, or `null` when it was withdrawn. */
  open(question: Omit<HumanRequest, 'requestId' | 'askedAt'>): {
    request: HumanRequest;
    answer: Promise<HumanAnswer | null>;
  } {
    const request: HumanRequest = { ...question, requestId: newId('req'), askedAt: this.#clock.now() };
    const { promise, resolve } = Promise.withResolvers<HumanAnswer | null>();
    this.#open.set(request.requestId, { request, settle: resolve });
    return { request, answer: promise };
  }

  /** @throws SemoError `request_unknown`. */
  answer(requestId: string, answer: HumanAnswer): void {
    const open = this.#open.get(requestId);
    if (open === undefined) {
      throw new SemoError(
        'request_unknown',
        `No open request ${requestId}: it was never made, is already answered, or was withdrawn.`,
      );
    }
    this.#open.delete(requestId);
    open.settle(answer);
  }

  /** Takes back one request, or all of a session, or all. */
  withdraw(which: { readonly requestId?: string; readonly sessionId?: string } = {}): void {
    for (const { request, settle } of this.#open.values()) {
      if (which.requestId !== undefined && which.requestId !== request.requestId) continue;
      if (which.sessionId !== undefined && which.sessionId !== request.sessionId) continue;
      this.#open.delete(request.requestId);
      settle(null);
    }
  }

  list(sessionId?: string): HumanRequest[] {
    const all = Array.from(this.#open.values(), ({ request }) => request);
    return sessionId === undefined ? all : all.filter((request) => request.sessionId === sessionId);
  }
}
