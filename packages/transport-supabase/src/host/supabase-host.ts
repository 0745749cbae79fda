import {
  SemoError,
  sessionInfoSchema,
  type Command,
  type CommandResult,
  type HostLink,
  type RequestStore,
  type SessionInfo,
  type SessionStore,
  type Unsubscribe,
  type WireEvent,
} from '@semo-office/core';

import type { SessionRealtimeEvents } from '../events/session-realtime-events.ts';
import type { OfficeChannel } from '../realtime/office-channel.ts';
import type { HostRegistration } from './host-registration.ts';
import type { HostRepository } from './host-repository.ts';
import type { OfficeSubscriber } from './office-subscriber.ts';

/** The host's end of a transport over Supabase. */
export interface SupabaseHostLink extends HostLink {
  readonly hostId: string;
  /** Grows with each registration: what was done under an earlier one is refused. */
  readonly epoch: number;
  /** Keeps this host's sessions and turns in the office's tables. */
  readonly sessionStore: SessionStore;
  /** Keeps what this host's agents ask of people in the office's tables. */
  readonly requestStore: RequestStore;
  /** Takes no new sessions from now on; those that are here go on. Close the link when they are over. */
  drain(): Promise<void>;
}

/** What {@link SupabaseHost} is made of. */
export interface HostParts {
  readonly hosts: HostRepository;
  readonly registration: HostRegistration;
  readonly subscriber: OfficeSubscriber;
  readonly events: SessionRealtimeEvents;
  readonly channel: OfficeChannel | null;
  readonly sessions: LivingSessions;
  readonly stores: { readonly sessionStore: SessionStore; readonly requestStore: RequestStore };
  readonly closeTimeoutMs: number;
}

type Handler = (command: Command) => Promise<CommandResult>;

/** The sessions a host has told of and that have not ended, and what is known of them. */
export class LivingSessions {
  #ids: Set<string> | null;
  #handler: Handler | null = null;

  constructor(known: readonly string[] | undefined) {
    this.#ids = known === undefined ? null : new Set(known);
  }

  /** `null` until there is anything to go by. */
  get ids(): readonly string[] | null {
    return this.#ids === null ? null : [...this.#ids];
  }

  see(event: WireEvent): void {
    if (event.name !== 'status') return;
    this.#ids ??= new Set();
    if (event.status === 'terminated') this.#ids.delete(event.sessionId);
    else this.#ids.add(event.sessionId);
  }

  askAt(handler: Handler | null): void {
    this.#handler = handler;
  }

  async infoOf(sessionId: string): Promise<SessionInfo | null> {
    const asked = await this.#handler?.({
      commandId: `info_${sessionId}`,
      body: { kind: 'get_session', sessionId },
    });
    if (asked?.success !== true) return null;
    const info = sessionInfoSchema.safeParse(asked.result);
    return info.success ? info.data : null;
  }
}

export class SupabaseHost implements SupabaseHostLink {
  readonly hostId: string;
  readonly sessionStore: SessionStore;
  readonly requestStore: RequestStore;
  readonly #parts: HostParts;
  #handler: Handler | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.hostId = parts.registration.fence.hostId;
    this.sessionStore = parts.stores.sessionStore;
    this.requestStore = parts.stores.requestStore;
    parts.channel?.open();
  }

  get epoch(): number {
    return this.#parts.registration.fence.epoch;
  }

  serve(handler: Handler): Unsubscribe {
    if (this.#closing !== null) throw new SemoError('closed', 'This host was closed.');
    if (this.#handler !== null)
      throw new SemoError('invalid_argument', 'This host is being served already. Stop that first.');
    this.#use(handler);
    return () => {
      if (this.#handler === handler) this.#use(null);
    };
  }

  publish(event: WireEvent): void {
    this.#parts.sessions.see(event);
    this.#parts.events.publish(event);
  }

  drain(): Promise<void> {
    return this.#parts.hosts.drain(this.hostId);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { channel, subscriber, events, registration, closeTimeoutMs } = this.#parts;
    this.#handler = null;
    await Promise.all([channel?.close(), subscriber.stop(closeTimeoutMs)]);
    await events.stop(closeTimeoutMs);
    this.#parts.sessions.askAt(null);
    await registration.end();
  }

  #use(handler: Handler | null): void {
    this.#handler = handler;
    this.#parts.subscriber.serve(handler);
    // Kept after serving: what is told until the end is still looked up.
    if (handler !== null) this.#parts.sessions.askAt(handler);
  }
}
