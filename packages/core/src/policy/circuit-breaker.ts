import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  handleWhenResult,
  type IBackoff,
  type IBreaker,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel';

import { systemClock, type Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import type { Unsubscribe } from '../session/session-manager.ts';

/** Whether work is let through: all of it (`closed`), none (`open`), or a first few to see how it goes (`half_open`). */
export type BreakerState = 'closed' | 'open' | 'half_open';

/**
 * What a piece of work says about whom it leaned on. `neutral`: nothing. With `retryAt` (epoch milliseconds) the other side
 * has said itself from when on trying again makes sense: the breaker opens at once, until then.
 */
export type BreakerVerdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'neutral' }
  | { readonly kind: 'failure'; readonly retryAt?: number | undefined };

/** Told when a breaker changes. */
export interface BreakerEvents {
  state: {
    readonly name: string;
    readonly state: BreakerState;
    /** With `open`: when it will let the first one through, in epoch milliseconds. */
    readonly retryAt: number | null;
    readonly at: number;
  };
}

/** Keeps work away from somebody who cannot do it just now. */
export interface CircuitBreaker {
  readonly name: string;
  readonly state: BreakerState;
  /** While it is open: when it will let the first one through, in epoch milliseconds. */
  readonly retryAt: number | null;
  /**
   * Runs a piece of work and counts what it says. While half open, those that come beyond the first few wait for what becomes
   * of these.
   * @throws SemoError `circuit_open` (details: `{ retryAt }`) without running it.
   */
  execute<Result>(work: () => Promise<Result>, judge: (result: Result) => BreakerVerdict): Promise<Result>;
  on(event: 'state', listener: (event: BreakerEvents['state']) => void): Unsubscribe;
}

/** Options of {@link createCircuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Whom it stands before, for events and messages. */
  readonly name: string;
  /** Failures in a row that open it. Default 5. */
  readonly failureThreshold?: number | undefined;
  /** How long it stays open where nobody says how long, in milliseconds; doubled each time in a row, up to 16 times. Default 30 000. */
  readonly resetTimeout?: number | undefined;
  /** How many are let through while it is half open. Default 1. */
  readonly halfOpenRequests?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * A breaker on cockatiel's.
 *
 * @example
 * ```ts
 * const provider = createCircuitBreaker({ name: 'provider', failureThreshold: 3, resetTimeout: 60_000 });
 * await provider.execute(ask, ({ status }) => (status === 529 ? { kind: 'failure' } : { kind: 'success' }));
 * ```
 */
export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  return new CockatielBreaker(options);
}

/** A result, with what it says. */
interface Judged {
  readonly result: unknown;
  readonly verdict: BreakerVerdict;
}

/** Carries a neutral result past the count: cockatiel counts what is returned, not what is thrown. */
class Uncounted extends Error {
  readonly result: unknown;

  constructor(result: unknown) {
    super('Neutral.');
    this.result = result;
  }
}

class CockatielBreaker implements CircuitBreaker {
  readonly name: string;
  readonly #clock: Clock;
  readonly #resetTimeout: number;
  readonly #hub = new EventHub<BreakerEvents>();
  readonly #policy: ReturnType<typeof circuitBreaker>;
  readonly #count: FailureCount;
  #retryAt: number | null = null;

  constructor({
    name,
    failureThreshold = 5,
    resetTimeout = 30_000,
    halfOpenRequests = 1,
    clock,
  }: CircuitBreakerOptions) {
    this.name = name;
    this.#clock = clock ?? systemClock;
    this.#resetTimeout = resetTimeout;
    this.#count = new FailureCount(failureThreshold);
    this.#policy = circuitBreaker(
      handleWhenResult((judged) => (judged as Judged).verdict.kind === 'failure'),
      {
        breaker: this.#count,
        halfOpenAfter: { next: ({ attempt, result }) => this.#pause(attempt, valueOf(result)) },
        halfOpenSampling: { calls: halfOpenRequests, threshold: 0 },
      },
    );
    this.#policy.onStateChange((state) => this.#tell(state));
  }

  get state(): BreakerState {
    return shownState(this.#policy.state);
  }

  get retryAt(): number | null {
    return this.state === 'open' ? this.#retryAt : null;
  }

  async execute<Result>(work: () => Promise<Result>, judge: (result: Result) => BreakerVerdict): Promise<Result> {
    try {
      const judged = await this.#policy.execute(() => this.#judged(work, judge));
      return judged.result as Result;
    } catch (thrown) {
      if (thrown instanceof Uncounted) return thrown.result as Result;
      if (thrown instanceof BrokenCircuitError) throw this.#openError(thrown);
      throw thrown;
    }
  }

  on(event: 'state', listener: (event: BreakerEvents['state']) => void): Unsubscribe {
    return this.#hub.on(event, listener);
  }

  async #judged<Result>(work: () => Promise<Result>, judge: (result: Result) => BreakerVerdict): Promise<Judged> {
    const result = await work();
    const verdict = judge(result);
    if (verdict.kind === 'neutral') throw new Uncounted(result);
    if (verdict.kind === 'failure' && verdict.retryAt !== undefined) this.#count.openNow();
    return { result, verdict };
  }

  /** How long it stays open: as long as was stated, or longer each time. */
  #pause(attempt: number, failure: unknown): IBackoff<IHalfOpenAfterBackoffContext> {
    const { verdict } = (failure ?? {}) as Partial<Judged>;
    const stated = verdict?.kind === 'failure' ? verdict.retryAt : undefined;
    const now = this.#clock.now();
    const duration =
      stated === undefined ? this.#resetTimeout * 2 ** Math.min(4, attempt - 1) : Math.max(0, stated - now);
    this.#retryAt = now + duration;
    const next: IBackoff<IHalfOpenAfterBackoffContext>['next'] = (context) =>
      this.#pause(context.attempt, valueOf(context.result));
    return { duration, next };
  }

  #openError(cause: unknown): SemoError {
    const retryAt = this.#retryAt ?? this.#clock.now();
    const until = new Date(retryAt).toISOString();
    return new SemoError('circuit_open', `The circuit breaker "${this.name}" is open until ${until}. Try again then.`, {
      details: { name: this.name, retryAt },
      cause,
    });
  }

  #tell(state: CircuitState): void {
    this.#hub.emit('state', {
      name: this.name,
      state: shownState(state),
      retryAt: state === CircuitState.Open ? this.#retryAt : null,
      at: this.#clock.now(),
    });
  }
}

/** Opens after so many failures in a row, or at once. */
class FailureCount implements IBreaker {
  state = 0;
  readonly #threshold: number;
  #now = false;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  openNow(): void {
    this.#now = true;
  }

  success(): void {
    this.state = 0;
    this.#now = false;
  }

  failure(): boolean {
    this.state += 1;
    const opens = this.#now || this.state >= this.#threshold;
    if (opens) this.success();
    return opens;
  }
}

/** What a call that counted as a failure returned. */
function valueOf(failure: object): unknown {
  return 'value' in failure ? failure.value : null;
}

function shownState(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half_open' : 'open';
}
