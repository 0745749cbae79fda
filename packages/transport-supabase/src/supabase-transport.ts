import { SemoError, parseEdge, type JobStore, type OfficeLink } from '@semo-office/core';

import { commandDesk, type CommandDesk } from './command/command-desk.ts';
import { CommandRepository } from './command/command-repository.ts';
import { DeadLetters } from './command/dead-letters.ts';
import { ClosableDoor } from './database/closable-door.ts';
import { EventRepository } from './events/event-repository.ts';
import { openHost } from './host/open-host.ts';
import { HostRepository } from './host/host-repository.ts';
import type { SupabaseHost, SupabaseHostLink } from './host/supabase-host.ts';
import { forgetIn } from './office/forgetting.ts';
import { SupabaseOffice, type AnnouncementListeners } from './office/supabase-office.ts';
import { OfficeChannel } from './realtime/office-channel.ts';
import { eventsTopic } from './realtime/office-topic.ts';
import { supabaseJobStore } from './store/job-store.ts';
import { accessTo, type ProjectAccess } from './supabase-access.ts';
import { settledWithin } from './waking/settled-within.ts';
import { toldOnce } from './told-once.ts';
import { hostOptionsSchema, transportOptionsSchema } from './transport-options.ts';
import type { HostOptions, SupabaseTransportOptions, TransportSettings } from './transport-options.ts';

/** Both ends of a transport over Supabase, and what an office keeps in its tables. */
export interface SupabaseTransport {
  /** The office's end. Any number of processes may have one. */
  office(): OfficeLink;
  /**
   * Registers a host, and gives its end. One process at a time: the next to register fences off the one before.
   * @throws SemoError `not_supported`: the database speaks another protocol; `sign_in_refused`, `store_unusable`, `host_lost`,
   * `invalid_argument`, `closed`.
   */
  host(options: HostOptions): Promise<SupabaseHostLink>;
  /** Keeps an office's jobs, until the transport is closed. @throws SemoError `closed`. */
  jobStore(): JobStore;
  /** Commands by their ids, and the dead ones. */
  readonly commands: CommandDesk;
  /**
   * Closes every end that was made here, within `times.closeTimeoutMs`. What is asked for after that, also of `commands` and of
   * stores that were made here, is refused as `closed`.
   */
  close(): Promise<void>;
}

/**
 * A transport by which an office and its hosts find each other in a Supabase project, without reaching each other directly.
 * The project needs the migrations of this package. Tables are the truth; Realtime only wakes up, and where it is away
 * everything goes on at the poll interval.
 *
 * @throws SemoError `invalid_argument`.
 * @example
 * ```ts
 * const transport = createSupabaseTransport({ url, key: secretKey, officeId: 'acme' });
 * const sessions = remoteSessions(transport.office());
 *
 * // elsewhere
 * const hosts = createSupabaseTransport({ url, key: publishableKey, accessToken: hostToken, officeId: 'acme' });
 * serveSessions(await hosts.host({ hostId: 'mac-1', capacity: 4 }), createPtySessionManager());
 * ```
 */
export function createSupabaseTransport(options: SupabaseTransportOptions): SupabaseTransport {
  return new Transport(parseEdge(transportOptionsSchema, options, { what: 'transport options' }));
}

/** An office or a host. */
interface End {
  authorise(): Promise<void>;
  close(): Promise<void>;
}

class Transport implements SupabaseTransport {
  readonly commands: CommandDesk;
  readonly #settings: TransportSettings;
  readonly #access: ProjectAccess;
  /** All goes by this one, until the transport is closed. */
  readonly #door: ClosableDoor;
  readonly #ends = new Set<End>();
  /** Hosts that are being registered. */
  readonly #openings = new Set<Promise<SupabaseHost>>();
  readonly #deadLetters: DeadLetters;
  #closing: Promise<void> | null = null;

  constructor(options: TransportSettings) {
    const settings = { ...options, onProblem: toldOnce(options.onProblem) };
    this.#settings = settings;
    const { clock, onProblem, times, officeId } = settings;
    this.#access = accessTo(settings.access, {
      clock,
      onProblem,
      heartbeatMs: times.heartbeatMs,
      onFreshToken: () => {
        for (const end of this.#ends) void end.authorise();
      },
    });
    this.#door = new ClosableDoor(this.#access.door);
    const commands = new CommandRepository(this.#door, officeId);
    this.#deadLetters = new DeadLetters({
      commands,
      // Of what is given up as this is closed nobody need hear.
      onProblem: (problem) => (this.#closing === null ? onProblem(problem) : undefined),
    });
    this.commands = commandDesk(commands, this.#deadLetters);
  }

  office(): OfficeLink {
    this.#checkOpen();
    const { clock, onProblem, times, officeId, sessionLabels, keepEndedMs } = this.#settings;
    const door = new ClosableDoor(this.#door);
    const office: SupabaseOffice = new SupabaseOffice({
      clock,
      door,
      onProblem,
      commands: new CommandRepository(door, officeId),
      onDeaths: () => this.#deadLetters.look(),
      hosts: new HostRepository(door, officeId),
      events: new EventRepository(door, officeId),
      pace: this.#pace,
      sweepMs: times.leaseMs / 3,
      hostGraceMs: times.hostGraceMs,
      forget: forgetIn(door, officeId),
      keepEndedMs,
      answerTimeoutMs: times.answerTimeoutMs,
      closeTimeoutMs: times.closeTimeoutMs,
      labels: sessionLabels,
      openChannel: (listeners) => this.#channel(eventsTopic(officeId), listeners),
      onClosed: () => this.#ends.delete(office),
    });
    this.#ends.add(office);
    return office;
  }

  async host(options: HostOptions): Promise<SupabaseHostLink> {
    this.#checkOpen();
    const opening = this.#openHost(options);
    this.#openings.add(opening);
    return opening.finally(() => this.#openings.delete(opening));
  }

  async #openHost(options: HostOptions): Promise<SupabaseHost> {
    const host = await openHost(parseEdge(hostOptionsSchema, options, { what: 'host options' }), {
      settings: this.#settings,
      door: new ClosableDoor(this.#door),
      pace: this.#pace,
      channel: (topic, listeners) => this.#channel(topic, listeners),
      onClosed: (closed) => this.#ends.delete(closed),
    });
    if (this.#closing !== null) {
      await host.close();
      throw transportClosed();
    }
    this.#ends.add(host);
    return host;
  }

  jobStore(): JobStore {
    this.#checkOpen();
    return supabaseJobStore(this.#door, this.#settings.officeId);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, times } = this.#settings;
    const openings = Promise.allSettled(this.#openings);
    await Promise.all([
      settledWithin(openings, { clock, ms: times.closeTimeoutMs, orElse: transportClosed }).catch(() => {}),
      ...[...this.#ends].map((end) => end.close()),
    ]);
    this.#door.close(transportClosed());
    await this.#deadLetters.settled();
    this.#access.close();
  }

  get #pace() {
    const { fastPollMs, slowPollMs, livePollMs } = this.#settings.times;
    return { fastMs: fastPollMs, slowMs: slowPollMs, liveMs: livePollMs };
  }

  #channel(topic: string, listeners: AnnouncementListeners): OfficeChannel | null {
    const { clock, onProblem, times, realtime } = this.#settings;
    if (!realtime) return null;
    const { openLine, hearsHeartbeats } = this.#access;
    return new OfficeChannel({
      clock,
      openLine,
      topic,
      onProblem,
      ...listeners,
      limits: {
        joinWithinMs: times.joinTimeoutMs,
        silentForMs: hearsHeartbeats ? 2.5 * times.heartbeatMs : null,
        maxRejoins: 20,
      },
      backoff: { firstMs: 250, longestMs: 30_000 },
      settleMs: 3000,
    });
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw transportClosed();
  }
}

function transportClosed(): SemoError {
  return new SemoError('closed', 'This transport was closed. Make another one.');
}
