import { descendants, proportionalBytes } from './process-tree.ts';

/** What sessions take, for each of them, in bytes. */
export interface EachTakes {
  /** Their processes. */
  readonly agent: number;
  /** This process, beyond what it took before there were any. */
  readonly ours: number;
}

/** Looks at the memory of this process and of all that it has started. */
export class CrowdWatch {
  readonly #before = proportionalBytes([process.pid]);

  /** What each of so many sessions takes now. */
  each(count: number): EachTakes {
    const ours = proportionalBytes([process.pid]) - this.#before;
    return { agent: proportionalBytes(descendants()) / count, ours: ours / count };
  }
}
