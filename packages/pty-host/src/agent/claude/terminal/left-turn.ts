import { SemoError, type Clock, type TranscriptFinding } from '@semo-office/core';

import type { LeftTurn } from '../../agent-driver.ts';
import { promptDigest } from '../../prompt-text.ts';
import { findClaudeTurn, transcriptPath } from '../conversation/find-turn.ts';
import type { ClaudeDelivery } from './delivery.ts';
import type { ClaudeRest } from './rest.ts';
import type { ClaudeTurnHooks } from './turn-hooks.ts';

/** A prompt that the agent has is in its transcript within this long (2.1.329: 440 ms), or its hook has told of it. */
const WRITTEN_WITHIN_MS = 2000;
const LOOK_AGAIN_MS = 100;

/** What a {@link ClaudeLeftTurn} works with. */
export interface ClaudeLeftTurnOptions {
  readonly turn: LeftTurn;
  readonly conversation: { readonly id: string; readonly transcripts: string };
  readonly clock: Clock;
  readonly delivery: ClaudeDelivery;
  readonly hooks: ClaudeTurnHooks;
  readonly rest: ClaudeRest;
}

/**
 * A turn whose host was killed, of an agent that lives. What its hooks told meanwhile nobody has heard: the transcript says
 * whether it has the prompt, and whether it is done with it.
 */
export class ClaudeLeftTurn {
  readonly #options: ClaudeLeftTurnOptions;

  /** From now on hooks can tell of it. */
  constructor(options: ClaudeLeftTurnOptions) {
    this.#options = options;
    const { delivery, turn } = options;
    if (turn.acceptedAt === null) delivery.offer(turn.prompt);
    else delivery.takeUp(turn.prompt);
  }

  /**
   * Resolves with `null` when the agent is at work on it, and otherwise with what its transcript says.
   * @throws SemoError `needs_input`: it has asked a person while there was nobody to hear it.
   */
  async settle(signal: AbortSignal): Promise<TranscriptFinding | null> {
    const { clock, delivery } = this.#options;
    for (const until = clock.now() + WRITTEN_WITHIN_MS; ;) {
      const finding = await this.#look();
      if (finding.kind === 'finished' || finding.kind === 'failed') {
        delivery.forget();
        return finding;
      }
      // Its hooks may have told meanwhile, even of its end.
      if (!delivery.isOffered && !delivery.isAccepted) return null;
      if (finding.kind === 'unfinished' || delivery.isAccepted) return await this.#goOn();
      if (signal.aborted || clock.now() >= until) {
        delivery.withdraw();
        return finding;
      }
      await new Promise<void>((resolve) => void clock.schedule(LOOK_AGAIN_MS, resolve));
    }
  }

  async #goOn(): Promise<null> {
    const { turn, conversation, delivery, hooks, rest } = this.#options;
    if (await rest.waitsForPerson()) {
      const message = 'Its agent has asked a person while there was no host, and does not ask again.';
      throw new SemoError('needs_input', message);
    }
    const isHeard = turn.acceptedAt === null && delivery.isAccepted;
    if (isHeard) return null;
    delivery.takeUp(turn.prompt);
    const { id: conversationId, transcripts } = conversation;
    hooks.turnTakenUp(await transcriptPath({ transcripts, conversationId }).catch(() => null));
    return null;
  }

  #look(): Promise<TranscriptFinding> {
    const { turn, conversation } = this.#options;
    const { id: conversationId, transcripts } = conversation;
    const { prompt, submittedAt: since } = turn;
    return findClaudeTurn({ transcripts, conversationId, digest: promptDigest(prompt), since });
  }
}
