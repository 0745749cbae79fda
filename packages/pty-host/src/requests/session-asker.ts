import {
  assertNever,
  newId,
  type Clock,
  type HumanAnswer,
  type HumanRequest,
  type SessionEvents,
} from '@semo-office/core';

import type { LiveTurn } from '../live-turn.ts';
import type { HumanRequests } from './human-requests.ts';

/** What {@link SessionAsker} needs of its session. */
export interface SessionAskerOptions {
  readonly sessionId: string;
  readonly requests: HumanRequests;
  readonly clock: Clock;
  readonly turn: () => LiveTurn | null;
  /** The conversation the agent asks in, if a later session can go on with it. */
  readonly keptConversation: () => string | null;
  readonly onRequest: (event: SessionEvents['request']) => void;
}

/** What an agent wants to know of a person. */
export type Question = Pick<HumanRequest, 'kind' | 'tool' | 'input'>;

/** Asks people what the agent of one session wants to know; its turn waits meanwhile. */
export class SessionAsker {
  readonly #options: SessionAskerOptions;

  constructor(options: SessionAskerOptions) {
    this.#options = options;
  }

  /** Resolves with the answer, or `null` when the turn ended or the agent lost interest first. */
  async ask(question: Question, withdrawn: AbortSignal): Promise<HumanAnswer | null> {
    const { requests, turn: currentTurn } = this.#options;
    const turn = currentTurn();
    if (turn === null || turn.hasEnded) return null;
    const request = this.#request(question, turn);
    const kept = await requests.recall(request);
    if (kept !== null) return kept;
    if (turn.hasEnded || withdrawn.aborted) return null;
    const reply = await requests.open(request, { withdrawn, onOpen: () => this.#tell(request, turn) });
    switch (reply.kind) {
      case 'answered':
        this.#goOn(request, turn);
        // It may have come while the turn was being ended: then it allows nothing any more.
        return turn.hasEnded ? null : reply.answer;
      case 'withdrawn':
        this.#goOn(request, turn);
        return null;
      case 'expired':
        return this.#onExpiry(request, turn);
      default:
        return assertNever(reply);
    }
  }

  #request(question: Question, turn: LiveTurn): HumanRequest {
    const { sessionId, keptConversation } = this.#options;
    const askedAt = this.#now();
    const { expiresAfterMs } = turn.requests;
    const conversationId = keptConversation();
    return {
      ...question,
      requestId: newId('req'),
      sessionId,
      turnId: turn.turnId,
      askedAt,
      ...(expiresAfterMs === undefined ? {} : { expiresAt: askedAt + expiresAfterMs }),
      ...(conversationId === null ? {} : { conversationId }),
    };
  }

  #tell(request: HumanRequest, turn: LiveTurn): void {
    const { requestId, kind, askedAt } = request;
    this.#options.onRequest({ request, at: askedAt });
    turn.observe({ kind: 'waiting', at: askedAt, for: kind, requestId });
  }

  /** The turn goes on, unless the agent has asked something else beside this. */
  #goOn({ requestId }: HumanRequest, turn: LiveTurn): void {
    const at = this.#now();
    turn.observe({ kind: 'answered', at, requestId });
    const { requests, sessionId } = this.#options;
    const next = requests.waitingOf(sessionId);
    if (next === null || turn.isWaiting) return;
    turn.observe({ kind: 'waiting', at, for: next.kind, requestId: next.requestId });
  }

  #onExpiry(request: HumanRequest, turn: LiveTurn): HumanAnswer | null {
    if (turn.requests.onExpiry === 'needs_input') {
      turn.observe({ kind: 'stopped', at: this.#now(), by: 'needs_input' });
      return null;
    }
    this.#goOn(request, turn);
    return {
      behavior: 'deny',
      message: 'Nobody answered in time. Do without, or end your turn and say what you need.',
    };
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
