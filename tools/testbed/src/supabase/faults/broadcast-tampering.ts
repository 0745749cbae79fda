import { FaultSwitch } from './fault.ts';
import type { Fault, FaultDuration } from './fault.ts';

/** What becomes of broadcasts on their way to a subscriber. Chances are between 0 and 1. */
export interface BroadcastTampering extends FaultDuration {
  /** Chance that a broadcast is lost. Default: 0. */
  readonly lose?: number;
  /** Chance that it comes twice. Default: 0. */
  readonly duplicate?: number;
  /** Each copy is late by a time between these, which mixes up their order. Default: none is. */
  readonly delayMs?: readonly [least: number, most: number];
  /** The same seed gives the same fate to the same sequence of deliveries. Default: 1. */
  readonly seed?: number;
}

/** Decides the fate of each delivery. */
export class BroadcastTamperer {
  readonly #switch = new FaultSwitch<{ readonly tampering: BroadcastTampering; readonly random: () => number }>();

  start(tampering: BroadcastTampering): Fault {
    return this.#switch.turnOn({ tampering, random: randomFrom(tampering.seed ?? 1) }, tampering);
  }

  /** How late each copy of a delivery is, in milliseconds: `[0]` when nothing is wrong, `[]` when it is lost. */
  delays(): readonly number[] {
    const current = this.#switch.value;
    if (current === undefined) return [0];
    const { tampering, random } = current;
    const { lose = 0, duplicate = 0, delayMs: [least, most] = [0, 0] } = tampering;
    // Every delivery draws as many numbers, so that one's fate does not move the others'.
    const [losing, doubling, first, second] = [random(), random(), random(), random()];
    if (losing < lose) return [];
    const late = (share: number): number => least + share * (most - least);
    return doubling < duplicate ? [late(first), late(second)] : [late(first)];
  }
}

/** Mulberry32: small, and good enough for chance. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
