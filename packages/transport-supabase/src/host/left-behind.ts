import { errorFromWire, newId } from '@semo-office/core';
import type { Clock, CommandResult, SemoError, WireEvent } from '@semo-office/core';

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
  readonly #ids = new Set<string>();
  #handler: CommandHandler | null = null;

  constructor(parts: LeftBehindParts) {
    this.#parts = parts;
  }

  /** These have to be ended, now or as soon as somebody can be asked to. */
  add(sessionIds: readonly string[]): void {
    for (const sessionId of sessionIds) this.#ids.add(sessionId);
    this.#endAll();
  }

  endBy(handler: CommandHandler): void {
    this.#handler = handler;
    this.#endAll();
  }

  /** One that was still being made comes to life only now. */
  see(event: WireEvent): void {
    if (event.name === 'status' && event.status !== 'terminated' && this.#ids.has(event.sessionId))
      void this.#end(event.sessionId);
  }

  #endAll(): void {
    for (const sessionId of this.#ids) void this.#end(sessionId);
  }

  async #end(sessionId: string): Promise<void> {
    const { clock, onGone, onProblem } = this.#parts;
    const command = { commandId: newId('cmd'), body: { kind: 'terminate', sessionId } } as const;
    const ended = await this.#handler?.(command);
    if (ended === undefined) return;
    const error = failureOf(ended);
    if (error === null) onGone({ name: 'status', sessionId, status: 'terminated', at: clock.now() });
    else onProblem(error);
  }
}

/** Why a session could not be ended; `null`: nothing is left of it. */
function failureOf(ended: CommandResult): SemoError | null {
  return ended.success || ended.error.code === 'session_unknown' ? null : errorFromWire(ended.error);
}
