import type { Cancel, Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import type { SessionInfo } from '../session/session.ts';
import { isInRepository, placeOf } from './pool-entry.ts';
import type { AcquireOptions, PoolRequest, PooledSession, SessionSource } from './pool.ts';
import type { WaiterView } from './pool-view.ts';

/** One call of `acquire` that has not been answered. */
export interface Waiter {
  readonly waiterId: number;
  readonly request: PoolRequest;
  readonly since: number;
  /** Whether a session is being opened or checked for it. */
  isServed: boolean;
  /** Openings and switches that failed for it. */
  failures: number;
  /** Sessions in which somebody's work was lying. */
  dirty: number;
  notBefore: number;
  /** Only a session made for it will do. */
  coldOnly: boolean;
  /** What it failed with last. */
  lastError: SemoError | null;
}

interface Call {
  readonly resolve: (session: PooledSession) => void;
  readonly reject: (error: SemoError) => void;
  readonly stops: Cancel[];
}

/** Options of {@link Waiters}. */
export interface WaitersOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Somebody has left without a session: what was on its way to it is to go to another. */
  readonly onLeft: (waiter: Waiter) => void;
  /** Whether only a session of its own will do for a request. */
  readonly coldOnly: (request: PoolRequest) => boolean;
  /** Why somebody could not be served, if there is more to say than that time was up. */
  readonly reasonOf: (waiter: Waiter) => SemoError | null;
}

/** Those who wait for a session. Each is answered exactly once. */
export class Waiters {
  readonly #options: WaitersOptions;
  readonly #waiting = new Map<number, { readonly waiter: Waiter; readonly call: Call }>();
  #lastId = 0;

  constructor(options: WaitersOptions) {
    this.#options = options;
  }

  /** Takes somebody in; the promise is its answer. @throws SemoError `aborted`, as a rejection. */
  add(request: PoolRequest, { signal, timeoutMs = this.#options.timeoutMs }: AcquireOptions): Promise<PooledSession> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(givenUp());
        return;
      }
      const waiter = this.#newWaiter(request);
      const onAbort = (): void => this.#leave(waiter, givenUp());
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancel = this.#options.clock.schedule(timeoutMs, () => this.#leave(waiter, this.#timeUp(waiter)));
      const stops = [cancel, () => signal?.removeEventListener('abort', onAbort)];
      this.#waiting.set(waiter.waiterId, { waiter, call: { resolve, reject, stops } });
    });
  }

  /** Somebody who still waits; `null` when it has been answered. */
  find(waiterId: number | null): Waiter | null {
    return waiterId === null ? null : (this.#waiting.get(waiterId)?.waiter ?? null);
  }

  /** Whether somebody waits for a session of that id of its own. */
  hasOwn(sessionId: string): boolean {
    return this.all().some(({ request }) => request.sessionId === sessionId);
  }

  all(): Waiter[] {
    return [...this.#waiting.values()].map(({ waiter }) => waiter);
  }

  /** Those for whom nothing is being done, as the plan sees them. `isFree`: whether a session of that id can be made. */
  views(isFree: (sessionId: string) => boolean): WaiterView[] {
    return this.all()
      .filter(({ isServed, request: { sessionId } }) => !isServed && (sessionId === undefined || isFree(sessionId)))
      .map(({ waiterId, request, coldOnly, notBefore }) => ({
        waiterId,
        key: request.key,
        priority: request.priority ?? 0,
        place: needsSwitch(request) ? null : placeOf(request.template),
        coldOnly,
        notBefore,
      }));
  }

  resolve(waiter: Waiter, session: SessionInfo, source: SessionSource): void {
    const waitedMs = this.#options.clock.now() - waiter.since;
    this.#take(waiter)?.resolve({ session, source, waitedMs });
  }

  reject(waiter: Waiter, error: SemoError): void {
    this.#take(waiter)?.reject(error);
  }

  #newWaiter(request: PoolRequest): Waiter {
    return {
      waiterId: ++this.#lastId,
      request,
      since: this.#options.clock.now(),
      isServed: false,
      failures: 0,
      dirty: 0,
      notBefore: 0,
      coldOnly: this.#options.coldOnly(request),
      lastError: null,
    };
  }

  #leave(waiter: Waiter, error: SemoError): void {
    this.reject(waiter, error);
    this.#options.onLeft(waiter);
  }

  #take({ waiterId }: Waiter): Call | null {
    const call = this.#waiting.get(waiterId)?.call ?? null;
    this.#waiting.delete(waiterId);
    for (const stop of call?.stops ?? []) stop();
    return call;
  }

  #timeUp(waiter: Waiter): SemoError {
    const { role, key } = waiter.request;
    const waitedMs = this.#options.clock.now() - waiter.since;
    const cause = waiter.lastError ?? this.#options.reasonOf(waiter);
    const why = cause === null ? '' : ` The last that went wrong: ${cause.message}`;
    const what = `No session for ${role} was free within ${waitedMs} ms. Allow more sessions, or wait longer.${why}`;
    return new SemoError('pool_timed_out', what, { details: { role, key, waitedMs }, cause: cause ?? undefined });
  }
}

/** Whether a session has to be switched before it can be this caller's, unless it was made for it. */
export function needsSwitch({ assignment, template }: PoolRequest): boolean {
  return assignment !== undefined && isInRepository(template);
}

const givenUp = (): SemoError => new SemoError('aborted', 'Waiting for a session was given up.');
