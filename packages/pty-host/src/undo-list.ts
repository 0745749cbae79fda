/** What has to be undone when something fails half way or ends: last done, first undone. */
export class UndoList {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Undoes everything, also when one step fails; resolves with what the steps threw. */
  async run(): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step();
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    return failures;
  }
}
