import type { Cancel, Clock } from '../clock.ts';

/** One call at one time, which can be moved. */
export class Alarm {
  readonly #clock: Clock;
  readonly #run: () => void;
  #set: { readonly at: number; readonly cancel: Cancel } | null = null;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** `null`: never. */
  setTo(at: number | null): void {
    if (this.#set?.at === at) return;
    this.#set?.cancel();
    this.#set = null;
    if (at === null) return;
    const cancel = this.#clock.schedule(Math.max(0, at - this.#clock.now()), () => {
      this.#set = null;
      this.#run();
    });
    this.#set = { at, cancel };
  }
}
