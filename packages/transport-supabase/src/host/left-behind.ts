import { errorFromWire, newId } from '@semo-office/core';
import type { Clock, SemoError, WireEvent } from '@semo-office/core';

import type { CommandHandler } from './office-subscriber.ts';

/** What {@link LeftBehind} needs. */
export interface LeftBehindParts {
  readonly clock: Clock;
  /** Tells the office that nothing is left of a session. */
  readonly onGone: (event: WireEvent) => void;
  readonly onProblem: (problem: SemoError) => void;
}

/** Sessions that the office has given up while their host was away: the host ends what it still has of them. */
export class LeftBehind {
  readonly #parts: LeftBehindParts;
  /** Those to be ended yet; and those of which nothing was there, which may still be being made. */
  readonly #left = new Map<string, 'to_end' | 'unknown'>();
  #handler: CommandHandler | null = null;

  constructor(parts: LeftBehindParts) {
    this.#parts = parts;
  }

  /** These have to be ended, now or as soon as somebody can be asked to. */
  add(sessionIds: readonly string[]): void {
    for (const sessionId of sessionIds) this.#left.set(sessionId, 'to_end');
    this.#endAll();
  }

  endBy(handler: CommandHandler): void {
    this.#handler = handler;
    this.#endAll();
  }

  /** One that was still being made comes to life only now. */
  see(event: WireEvent): void {
    if (event.name === 'status' && event.status !== 'terminated' && this.#left.has(event.sessionId))
      void this.#end(event.sessionId);
  }

  #endAll(): void {
    for (const [sessionId, state] of this.#left) if (state === 'to_end') void this.#end(sessionId);
  }

  async #end(sessionId: string): Promise<void> {
    const { clock, onGone, onProblem } = this.#parts;
    const command = { commandId: newId('cmd'), body: { kind: 'terminate', sessionId } } as const;
    const ended = await this.#handler?.(command);
    if (ended === undefined) return;
    const isUnknown = !ended.success && ended.error.code === 'session_unknown';
    if (!ended.success && !isUnknown) return onProblem(errorFromWire(ended.error));
    if (isUnknown) this.#left.set(sessionId, 'unknown');
    else this.#left.delete(sessionId);
    onGone({ name: 'status', sessionId, status: 'terminated', at: clock.now() });
  }
}
