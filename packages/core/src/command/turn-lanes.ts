/** One queue per session: work enters in order of arrival and begins when what came before it is over. */
export class TurnLanes {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Runs `work` after all that entered this lane before; at once, before this returns, when the lane is empty. */
  enter<Value>(sessionId: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#tails.get(sessionId);
    const outcome = before === undefined ? work() : before.then(work);
    const leave = (): void => {
      if (this.#tails.get(sessionId) === tail) this.#tails.delete(sessionId);
    };
    const tail: Promise<void> = outcome.then(leave, leave);
    this.#tails.set(sessionId, tail);
    return outcome;
  }

  /** How many sessions have work under way. */
  get size(): number {
    return this.#tails.size;
  }
}
