/**
 * Lets one caller at a time through for each key, in the order they came.
 *
 * @example
 * ```ts
 * const mutex = new KeyedMutex();
 * await mutex.run(repository, () => addWorktree());
 * ```
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `action` when all before it with the same key have ended, however they ended. */
  async run<Result>(key: string, action: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const tail = before.then(() => ended);
    this.#tails.set(key, tail);
    await before;
    try {
      return await action();
    } finally {
      end();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
