/** Something that is wrong until it is ended. Ending twice is ending once. */
export interface Fault extends Disposable {
  end(): void;
}

/** How long a fault lasts by itself. */
export interface FaultDuration {
  /** In milliseconds. Default: until it is ended. */
  readonly forMs?: number;
}

/** Holds the fault of one kind that is on, if any. A new one takes the place of the old. */
export class FaultSwitch<T> {
  #current: { readonly value: T } | undefined;

  get value(): T | undefined {
    return this.#current?.value;
  }

  turnOn(value: T, { forMs }: FaultDuration = {}): Fault {
    const mine = { value };
    this.#current = mine;
    const end = (): void => {
      if (this.#current === mine) this.#current = undefined;
    };
    // A fault that still has time to run keeps no process alive.
    if (forMs !== undefined) setTimeout(end, forMs).unref();
    return { end, [Symbol.dispose]: end };
  }
}
