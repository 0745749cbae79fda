import type { Clock, LinePattern, ResolvedPromptOptions, SessionEvents } from '@semo-office/core';

import type { AgentControl, Launch } from './agent/agent-driver.ts';
import { deadline } from './deadline.ts';
import { LiveTurn } from './live-turn.ts';
import type { TurnNote } from './readoption/session-notes.ts';
import type { SessionFacts } from './recovery/session-facts.ts';

/** An agent that has not come to rest this long after being interrupted gets the next prompt all the same. */
const INTERRUPT_TIMEOUT_MS = 15_000;

/** Verdicts after which the agent may still be at work: ours, and a milestone that was enough. */
export const LEAVES_AT_WORK: ReadonlySet<string> = new Set(['cancel', 'timeout', 'needs_input', 'milestone']);

/** A prompt on its way to the agent. */
export interface QueuedPrompt {
  readonly turnId: string;
  readonly prompt: string;
  readonly options: ResolvedPromptOptions;
  readonly patterns: readonly LinePattern[];
}

/** What {@link PromptDelivery} works with. */
export interface PromptDeliveryOptions {
  readonly sessionId: string;
  readonly agent: AgentControl;
  readonly monitor: Launch['monitor'];
  /** Writes down, for a host to come, what is about to be sent; awaited. */
  readonly onSending: (turn: TurnNote) => Promise<void>;
  /** Writes down how far each prompt has come. */
  readonly facts: Pick<SessionFacts, 'submitted' | 'written'>;
  readonly clock: Clock;
  /** Aborts when the agent is gone or is to go. */
  readonly gone: AbortSignal;
  /** Where the output stands. */
  readonly outputEnd: () => number;
  readonly onTurn: (event: SessionEvents['turn']) => void;
  /** The turn is over: questions it asked are too. */
  readonly onTurnOver: () => void;
}

/** Takes one prompt to the agent, written down first, and brings the agent to rest after its turn. */
export class PromptDelivery {
  readonly #options: PromptDeliveryOptions;

  constructor(options: PromptDeliveryOptions) {
    this.#options = options;
  }

  begin({ turnId, prompt, options, patterns }: QueuedPrompt, outputStart: number): LiveTurn {
    const { sessionId, agent, monitor, clock, onTurn } = this.#options;
    const { timeoutMs, silenceMs, require, completeOn, endWithBackgroundTasks, onNeedsPerson, requests } = options;
    const turn: LiveTurn = new LiveTurn({
      turnId,
      sessionId,
      outputStart,
      prompt,
      clock,
      config: { ...monitor, timeoutMs, silenceMs, require, completeOn, endWithBackgroundTasks },
      requests,
      patterns,
      lateUsage: () => agent.lateUsage?.() ?? null,
      finalText: agent.finalText === undefined ? undefined : () => agent.finalText?.(outputStart) ?? '',
      onChange(event) {
        onTurn(event);
        if (event.change !== 'waiting' || onNeedsPerson === 'wait') return;
        turn.observe({ kind: 'stopped', at: clock.now(), by: 'needs_input' });
      },
    });
    return turn;
  }

  async deliver(turn: LiveTurn, queued: QueuedPrompt): Promise<void> {
    const { agent, gone } = this.#options;
    const { prompt } = queued;
    const { endInput } = queued.options;
    const over = new AbortController();
    const signal = AbortSignal.any([gone, over.signal]);
    try {
      const { outputStart } = turn.info();
      const submitted = this.writeDown(queued, outputStart).then(() =>
        // Cancelled meanwhile: nothing has left yet, and nothing will.
        turn.hasEnded ? undefined : agent.submit({ prompt, outputStart, endInput, signal }),
      );
      // A prompt that cannot be delivered has a deadline like any other, and can be cancelled.
      await Promise.race([submitted, turn.ended]);
      submitted.catch(() => undefined);
    } catch (error) {
      // An agent that died while taking the prompt has a verdict; one that refused it has had no turn.
      if (turn.isAccepted && turn.hasEnded) return;
      turn.abandon();
      throw error;
    } finally {
      over.abort();
    }
  }

  async writeDown({ turnId, prompt, options }: QueuedPrompt, outputStart: number): Promise<void> {
    const { require } = options;
    // The turn before it has ended; a host to come that knew of both as sent could not tell which of them runs.
    await this.#options.facts.written();
    await this.#options.onSending({ turnId, prompt, options, outputStart, sentAt: this.#options.outputEnd() });
    const conversationId = this.#options.agent.conversationId ?? null;
    await this.#options.facts.submitted({ turnId, prompt, require }, { outputStart, conversationId });
  }

  /** After a turn that we ended, the agent may still be at work. */
  async comeToRest(turn: LiveTurn): Promise<void> {
    const { agent, clock, gone, onTurnOver } = this.#options;
    onTurnOver();
    const { state } = turn.info();
    const ours = state.kind === 'ended' && LEAVES_AT_WORK.has(state.decidedBy);
    if (!ours || gone.aborted) return;
    using limit = deadline(clock, INTERRUPT_TIMEOUT_MS);
    await agent.interrupt(AbortSignal.any([gone, limit.signal]));
  }
}
