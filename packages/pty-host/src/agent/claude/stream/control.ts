import { randomUUID } from 'node:crypto';
import { SemoError } from '@semo-office/core';

import type { ClaudeControlResponse } from './message.ts';

/** What we ask of Claude Code beside the conversation. */
export type ControlQuestion =
  | { readonly subtype: 'initialize' }
  | { readonly subtype: 'interrupt' }
  | { readonly subtype: 'stop_task'; readonly task_id: string };

/** Questions to Claude Code with their answers, and our answers to its own. */
export class ClaudeControl {
  readonly #send: (message: object) => Promise<void>;
  readonly #open = new Map<string, PromiseWithResolvers<void>>();

  constructor(send: (message: object) => Promise<void>) {
    this.#send = send;
  }

  /**
   * Asks and waits for the answer.
   * @throws SemoError `agent_failed` when the answer is an error, `session_terminated`, and `aborted` by the signal.
   */
  async ask(request: ControlQuestion, signal: AbortSignal): Promise<void> {
    const id = randomUUID();
    const answer = Promise.withResolvers<void>();
    answer.promise.catch(() => undefined);
    const giveUp = () => {
      answer.reject(new SemoError('aborted', `Claude Code has not answered ${request.subtype}.`));
    };
    this.#open.set(id, answer);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await this.#send({ type: 'control_request', request_id: id, request });
      await answer.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#open.delete(id);
    }
  }

  onResponse({ response }: ClaudeControlResponse): void {
    const answer = this.#open.get(response.request_id);
    if (response.subtype === 'success') answer?.resolve();
    else answer?.reject(new SemoError('agent_failed', response.error ?? 'Claude Code refused without a reason.'));
  }

  /** Answers something Claude Code asked. */
  async answer(requestId: string, response: object): Promise<void> {
    await this.#send({
      type: 'control_response',
      response: { subtype: 'success', request_id: requestId, response },
    });
  }

  /** Answers something that is not ours to do. */
  async refuse(requestId: string, error: string): Promise<void> {
    await this.#send({ type: 'control_response', response: { subtype: 'error', request_id: requestId, error } });
  }
}
