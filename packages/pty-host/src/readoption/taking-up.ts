import type { TranscriptFinding } from '@semo-office/core';

import type { AgentControl } from '../agent/agent-driver.ts';
import type { LeftSession } from '../live-session-options.ts';
import type { TurnLane } from '../turn-lane.ts';
import { OutputReplay } from './output-replay.ts';

/** What a {@link TakingUp} works with. */
export interface TakingUpOptions {
  readonly left: LeftSession;
  readonly lane: TurnLane;
  readonly agent: AgentControl;
  /** Aborts when the agent is gone. */
  readonly gone: AbortSignal;
  /** Hears output, old and new. */
  readonly hear: (bytes: Uint8Array, isOld: boolean) => void;
}

/** A session's way from one host to the next: its output is heard once more, and its agent is told where in that its turn began. */
export class TakingUp {
  readonly #options: TakingUpOptions;
  readonly #replay: OutputReplay;
  readonly #taken = Promise.withResolvers<TranscriptFinding | null>();

  constructor(options: TakingUpOptions) {
    this.#options = options;
    const { left, hear } = options;
    const { start, end } = left.output;
    this.#taken.promise.catch(() => undefined);
    const turnAt = left.turn?.sentAt ?? null;
    const goOn = () => this.#taken.resolve(this.#goOn());
    this.#replay = new OutputReplay({ start, end, turnAt, hear, onTurn: goOn });
    this.#replay.begin();
    if (left.turn === null) goOn();
  }

  /** Sees all output from the beginning of what is kept. */
  take(bytes: Uint8Array): void {
    this.#replay.take(bytes);
  }

  /** No more output will come. */
  close(): void {
    this.#replay.close();
  }

  /** Resolves when the agent is gone on with: with `null`, or with what is known of a turn that does not go on. */
  async done(): Promise<TranscriptFinding | null> {
    const finding = await this.#taken.promise;
    await this.#replay.caughtUp;
    return finding;
  }

  async #goOn(): Promise<TranscriptFinding | null> {
    const { left, lane, agent, gone } = this.#options;
    const { turn, turnsBefore, wasInterrupted } = left;
    const { caughtUp } = this.#replay;
    const takeUp = async () =>
      (await agent.takeUp?.({ turn, turnsBefore, wasInterrupted, caughtUp, signal: gone })) ?? null;
    return turn === null ? takeUp() : lane.takeUp(turn, takeUp);
  }
}
