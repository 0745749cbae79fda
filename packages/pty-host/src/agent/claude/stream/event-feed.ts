/** Where events come from, so that it can be told to wait. */
interface Source {
  pause(): void;
  resume(): void;
}

/**
 * Hands events to a listener one by one and in order. While the listener is busy with one (its promise has not settled),
 * the source is held back: what waits here is at most what one piece of the source held.
 */
export class EventFeed<Event> {
  readonly #listener: (event: Event) => unknown;
  readonly #source: Source;
  readonly #waiting: Event[] = [];
  #busy = false;

  constructor(listener: (event: Event) => unknown, source: Source) {
    this.#listener = listener;
    this.#source = source;
  }

  push(event: Event): void {
    if (this.#busy) this.#waiting.push(event);
    else this.#hand(event);
  }

  #hand(event: Event): void {
    const done = this.#call(event);
    if (done === null) return;
    this.#busy = true;
    this.#source.pause();
    void this.#drain(done);
  }

  async #drain(first: PromiseLike<unknown>): Promise<void> {
    for (let done: PromiseLike<unknown> | null = first; ;) {
      // A listener that fails has had its event.
      if (done !== null) await Promise.resolve(done).catch(() => undefined);
      const next = this.#waiting.shift();
      if (next === undefined) break;
      done = this.#call(next);
    }
    this.#busy = false;
    this.#source.resume();
  }

  /** The listener's promise, or `null` when it is done already. */
  #call(event: Event): PromiseLike<unknown> | null {
    try {
      const answer = this.#listener(event);
      return isPromiseLike(answer) ? answer : null;
    } catch {
      return null;
    }
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
