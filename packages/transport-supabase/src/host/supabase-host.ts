import {
  SemoError,
  type Clock,
  type HostLink,
  type RequestStore,
  type SessionStore,
  type Unsubscribe,
  type WireEvent,
} from '@semo-office/core';

import type { ClosableDoor } from '../database/closable-door.ts';
import type { SessionRealtimeEvents } from '../events/session-realtime-events.ts';
import type { OfficeChannel } from '../realtime/office-channel.ts';
import { ClosingTime } from '../waking/closing-time.ts';
import { orAborted } from '../waking/or-aborted.ts';
import { untilDrained, type DrainWait } from './drain-wait.ts';
import type { HostRegistration } from './host-registration.ts';
import type { LeftBehind } from './left-behind.ts';
import type { LivingSessions } from './living-sessions.ts';
import type { CommandHandler, OfficeSubscriber } from './office-subscriber.ts';

/** The host's end of a transport over Supabase. */
export interface SupabaseHostLink extends HostLink {
  readonly hostId: string;
  /** Grows with each registration: what was done under an earlier one is refused. */
  readonly epoch: number;
  /** Keeps this host's sessions and turns in the office's tables. */
  readonly sessionStore: SessionStore;
  /** Keeps what this host's agents ask of people in the office's tables. */
  readonly requestStore: RequestStore;
  /**
   * Takes no new sessions from now on; those that are here go on, and pools are told to hand them to nobody else. Wait with
   * `drained`, then close. @throws SemoError `closed`, `host_lost`.
   *
   * @example
   * ```ts
   * await host.drain();
   * await host.drained({ for: 'sessions', timeoutMs: 600_000, signal });
   * await host.close();
   * ```
   */
  drain(): Promise<void>;
  /**
   * Resolves when a draining host has nothing left to do. @throws SemoError `wait_timed_out`, `aborted`; `closed`, also where the host
   * is closed meanwhile; `lease_lost` where another process has its name meanwhile.
   */
  drained(wait?: DrainWait): Promise<void>;
}

/** What {@link SupabaseHost} is made of. */
export interface HostParts {
  readonly clock: Clock;
  /** By which everything here goes to the database. */
  readonly door: Pick<ClosableDoor, 'close'>;
  readonly registration: HostRegistration;
  readonly subscriber: OfficeSubscriber;
  readonly events: SessionRealtimeEvents;
  readonly channel: OfficeChannel | null;
  readonly sessions: LivingSessions;
  readonly leftBehind: LeftBehind;
  readonly stores: { readonly sessionStore: SessionStore; readonly requestStore: RequestStore };
  readonly closeTimeoutMs: number;
  readonly onClosed: () => void;
}

/** Of the time for closing so much is for answering, and then so much for telling; the rest is for saying goodbye. */
const SHARES = { answering: 0.6, telling: 0.8 } as const;

export class SupabaseHost implements SupabaseHostLink {
  readonly hostId: string;
  readonly sessionStore: SessionStore;
  readonly requestStore: RequestStore;
  readonly #parts: HostParts;
  /** Aborts, with why, as the host begins to close. */
  readonly #over = new AbortController();
  #handler: CommandHandler | null = null;
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

  serve(handler: CommandHandler): Unsubscribe {
    this.#checkOpen();
    if (this.#handler !== null)
      throw new SemoError('invalid_argument', 'This host is being served already. Stop that first.');
    this.#use(handler);
    return () => {
      if (this.#handler === handler) this.#use(null);
    };
  }

  publish(event: WireEvent): void {
    const { sessions, leftBehind, events } = this.#parts;
    const isNew = sessions.see(event);
    events.publish(event);
    leftBehind.see(event);
    if (isNew && sessions.areRetiring && event.name === 'status') this.#retire([event.sessionId]);
  }

  async drain(): Promise<void> {
    this.#checkOpen();
    await this.#parts.registration.drain();
    this.setDraining(true);
  }

  async drained(wait: DrainWait = {}): Promise<void> {
    this.#checkOpen();
    const { clock, sessions, subscriber } = this.#parts;
    const left = (): readonly string[] => {
      const here = wait.for === 'sessions' ? (sessions.ids ?? []) : sessions.busyIds;
      return [...new Set([...here, ...subscriber.busySessions])];
    };
    const onChange = (listener: () => void): Unsubscribe => sessions.onChange(listener);
    return untilDrained({ clock, left, onChange, over: this.#over.signal }, wait);
  }

  /** Somebody has said so: this process, or the office. */
  setDraining(isDraining: boolean): void {
    const { sessions } = this.#parts;
    const hasBegun = isDraining && !sessions.areRetiring;
    sessions.areRetiring = isDraining;
    if (hasBegun) this.#retire(sessions.ids ?? []);
  }

  /** Tells how the sessions are that are still here, since the office has thought them lost. */
  async tellAgain(): Promise<void> {
    const { sessions, clock } = this.#parts;
    const infos = await Promise.all((sessions.ids ?? []).map((sessionId) => sessions.infoOf(sessionId)));
    for (const info of infos) {
      if (info === null) continue;
      const { sessionId, status } = info;
      this.publish({ name: 'status', sessionId, status, at: clock.now() });
      if (sessions.areRetiring) this.#retire([sessionId]);
    }
  }

  /** There is a new token. */
  authorise(): Promise<void> {
    return this.#parts.channel?.authorise() ?? Promise.resolve();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(this.#parts.closeTimeoutMs, hostClosed());
    return this.#closing;
  }

  /** Closes at once, because of `why`: nothing that is still said here is taken by anybody. */
  abandon(why: SemoError): Promise<void> {
    this.#closing ??= this.#close(0, why);
    return this.#closing;
  }

  async #close(withinMs: number, why: SemoError): Promise<void> {
    const { clock, door, onClosed } = this.#parts;
    this.#handler = null;
    this.#over.abort(why);
    const time = new ClosingTime(clock, withinMs);
    // From then on the database is not waited for.
    time.after(1).addEventListener('abort', () => door.close(hostClosed(' before the database had answered')));
    await this.#finish(time);
    time.end();
    door.close(hostClosed());
    onClosed();
  }

  async #finish(time: ClosingTime): Promise<void> {
    const { channel, subscriber, events, registration } = this.#parts;
    const answering = time.after(SHARES.answering);
    const telling = time.after(SHARES.telling);
    await Promise.all([channel === null ? null : orAborted(channel.close(), answering), subscriber.stop(answering)]);
    await events.stop(telling);
    this.#parts.sessions.askAt(null);
    await registration.end();
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw hostClosed();
  }

  #retire(sessionIds: readonly string[]): void {
    const { events, clock } = this.#parts;
    for (const sessionId of sessionIds) events.publish({ name: 'retiring', sessionId, at: clock.now() });
  }

  #use(handler: CommandHandler | null): void {
    this.#handler = handler;
    this.#parts.subscriber.serve(handler);
    // Kept after serving: what is told until the end is still looked up.
    if (handler === null) return;
    this.#parts.sessions.askAt(handler);
    this.#parts.leftBehind.endBy(handler);
  }
}

function hostClosed(when = ''): SemoError {
  return new SemoError('closed', `This host was closed${when}.`);
}
