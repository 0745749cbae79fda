import type { ModelRequest, ReceivedRequest, RequestOutcome } from './model-request.ts';

/** Decides whether a request is the awaited one. */
export type RequestPredicate = (request: ModelRequest) => boolean;

interface Waiter {
  readonly predicate: RequestPredicate;
  readonly resolve: (request: ModelRequest) => void;
  readonly reject: (reason: unknown) => void;
}

/** Every request of a server in order of arrival, and those who wait for one. */
export class RequestLog {
  readonly requests: ReceivedRequest[] = [];
  readonly #waiters = new Set<Waiter>();
  #closed: Error | undefined;

  add(request: ReceivedRequest): void {
    this.requests.push(request);
    this.#announce(request);
  }

  settle(request: ReceivedRequest, outcome: RequestOutcome): void {
    if (request.outcome.kind !== 'pending') return;
    request.outcome = outcome;
    this.#announce(request);
  }

  /** Waits for a Messages request, past ones included; judged again when its outcome is known. */
  async waitFor(predicate: RequestPredicate, signal?: AbortSignal): Promise<ModelRequest> {
    signal?.throwIfAborted();
    const seen = this.requests.find((request) => request.isMessage && predicate(request));
    if (seen) return seen;
    if (this.#closed) throw this.#closed;
    const { promise, resolve, reject } = Promise.withResolvers<ModelRequest>();
    const waiter: Waiter = { predicate, resolve, reject };
    const onAbort = (): void => reject(signal?.reason);
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#closed = new Error(`The model server closed after ${this.requests.length} requests.`);
    for (const { reject } of this.#waiters) reject(this.#closed);
  }

  #announce(request: ReceivedRequest): void {
    if (!request.isMessage) return;
    for (const { predicate, resolve, reject } of this.#waiters) {
      try {
        if (predicate(request)) resolve(request);
      } catch (error) {
        reject(error);
      }
    }
  }
}
