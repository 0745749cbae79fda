import { SemoError } from '../errors.ts';
import type { PoolOptions, WarmTarget } from './pool.ts';
import type { PoolStatus } from './pool-status.ts';

/** What is to be kept warm, and how many sessions there may be: as configured, or as `sizing` wants it. */
export class PoolDemand {
  readonly #sizing: PoolOptions['sizing'];
  readonly #most: number;
  #configured: readonly WarmTarget[];
  #targets: readonly WarmTarget[];
  #max: number;

  constructor({ sizing, targets = [] }: PoolOptions, max: number) {
    this.#sizing = sizing;
    this.#most = max;
    this.#configured = targets;
    this.#targets = targets;
    this.#max = max;
  }

  get targets(): readonly WarmTarget[] {
    return this.#targets;
  }

  get max(): number {
    return this.#max;
  }

  /** Whether it changes with time, so that it has to be asked for now and then. */
  get isDynamic(): boolean {
    return this.#sizing !== undefined;
  }

  configure(targets: readonly WarmTarget[]): void {
    this.#configured = targets;
    if (this.#sizing === undefined) this.#targets = targets;
  }

  target(key: string): WarmTarget | null {
    return this.#targets.find((target) => target.key === key) ?? null;
  }

  /** Asks `sizing`; gives what it threw. Then everything stays as it was. */
  resize(statusOf: () => PoolStatus, now: number): SemoError | null {
    if (this.#sizing === undefined) return null;
    try {
      const { targets, max } = this.#sizing(statusOf(), now);
      this.#targets = targets ?? this.#configured;
      this.#max = Math.min(this.#most, Math.max(1, max ?? this.#most));
      return null;
    } catch (thrown) {
      return SemoError.from(thrown);
    }
  }
}
