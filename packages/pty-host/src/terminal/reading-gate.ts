import type { ScreenSource } from './screen.ts';

/** Lets several hold back one reader: it reads while nobody does. Each pairs its calls. */
export class ReadingGate implements ScreenSource {
  readonly #source: ScreenSource;
  #holders = 0;

  constructor(source: ScreenSource) {
    this.#source = source;
  }

  pause(): void {
    this.#holders += 1;
    if (this.#holders === 1) this.#source.pause();
  }

  resume(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#source.resume();
  }
}
