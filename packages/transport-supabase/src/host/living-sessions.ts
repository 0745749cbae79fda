import { EventHub, newId, sessionInfoSchema } from '@semo-office/core';
import type { SessionInfo, SessionStatus, WireEvent } from '@semo-office/core';

import type { CommandHandler } from './office-subscriber.ts';

interface LivingEvents {
  change: null;
}

/** The sessions a host has told of and that have not ended, and what is known of them. */
export class LivingSessions {
  /** Their host drains: nobody should keep them for later. */
  areRetiring = false;
  readonly #hub = new EventHub<LivingEvents>();
  /** By their ids; without a status until they are heard of. */
  #statuses: Map<string, SessionStatus | null> | null;
  #handler: CommandHandler | null = null;

  constructor(known: readonly string[] | undefined) {
    this.#statuses = known === undefined ? null : new Map(known.map((sessionId) => [sessionId, null]));
  }

  /** `null` until there is anything to go by. */
  get ids(): readonly string[] | null {
    return this.#statuses === null ? null : [...this.#statuses.keys()];
  }

  /** Those that have something to finish, as far as they have been heard of. */
  get busyIds(): readonly string[] {
    return [...(this.#statuses ?? [])].flatMap(([sessionId, status]) => (isBusy(status) ? [sessionId] : []));
  }

  /** Whether an event is the first of a session that was not there before. */
  see(event: WireEvent): boolean {
    if (event.name !== 'status') return false;
    const { sessionId, status } = event;
    this.#statuses ??= new Map();
    const isNew = status !== 'terminated' && !this.#statuses.has(sessionId);
    if (status === 'terminated') this.#statuses.delete(sessionId);
    else this.#statuses.set(sessionId, status);
    this.changed();
    return isNew;
  }

  /** Something of what they have to finish may have changed. */
  changed(): void {
    this.#hub.emit('change', null);
  }

  onChange(listener: () => void): () => void {
    return this.#hub.on('change', listener);
  }

  askAt(handler: CommandHandler | null): void {
    this.#handler = handler;
  }

  async infoOf(sessionId: string): Promise<SessionInfo | null> {
    const asked = await this.#handler?.({
      commandId: newId('cmd'),
      body: { kind: 'get_session', sessionId },
    });
    if (asked?.success !== true) return null;
    const info = sessionInfoSchema.safeParse(asked.result);
    return info.success ? info.data : null;
  }
}

function isBusy(status: SessionStatus | null): boolean {
  return status === 'creating' || status === 'executing' || status === 'waiting_input';
}
