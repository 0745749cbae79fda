import { SemoError, parseEdge, type JobStore, type OfficeLink } from '@semo-office/core';

import { commandDesk, type CommandDesk } from './command/command-desk.ts';
import { CommandRepository } from './command/command-repository.ts';
import { DeadLetters } from './command/dead-letters.ts';
import { EventRepository } from './events/event-repository.ts';
import { openHost } from './host/open-host.ts';
import { HostRepository } from './host/host-repository.ts';
import type { SupabaseHostLink } from './host/supabase-host.ts';
import { forgetIn } from './office/forgetting.ts';
import { SupabaseOffice, type AnnouncementListeners } from './office/supabase-office.ts';
import { OfficeChannel } from './realtime/office-channel.ts';
import { eventsTopic } from './realtime/office-topic.ts';
import { supabaseJobStore } from './store/job-store.ts';
import { accessTo, type ProjectAccess } from './supabase-access.ts';
import { hostOptionsSchema, transportOptionsSchema } from './transport-options.ts';
import type { HostOptions, SupabaseTransportOptions, TransportSettings } from './transport-options.ts';

/** Both ends of a transport over Supabase, and what an office keeps in its tables. */
export interface SupabaseTransport {
  /** The office's end. Any number of processes may have one. */
  office(): OfficeLink;
  /**
   * Registers a host, and gives its end. One process at a time: the next to register fences off the one before.
   * @throws SemoError `not_supported`: the database speaks another protocol; `sign_in_refused`, `store_unusable`, `host_lost`,
   * `invalid_argument`.
   */
  host(options: HostOptions): Promise<SupabaseHostLink>;
  /** Keeps an office's jobs. */
  jobStore(): JobStore;
  /** Commands by their ids, and the dead ones. */
  readonly commands: CommandDesk;
  /** Closes every end that was made here. */
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
  return new Transport(options, parseEdge(transportOptionsSchema, options, { what: 'transport options' }));
}

interface End {
  close(): Promise<void>;
}

class Transport implements SupabaseTransport {
  readonly commands: CommandDesk;
  readonly #settings: TransportSettings;
  readonly #access: ProjectAccess;
  readonly #channels = new Set<OfficeChannel>();
  readonly #ends = new Set<End>();
  readonly #commands: CommandRepository;
  readonly #deadLetters: DeadLetters;
  #isOpen = true;

  constructor(options: SupabaseTransportOptions, settings: TransportSettings) {
    this.#settings = settings;
    const { clock, onProblem, times, officeId } = settings;
    this.#access = accessTo(options, {
      clock,
      onProblem,
      heartbeatMs: times.heartbeatMs,
      onFreshToken: () => {
        for (const channel of this.#channels) void channel.authorise();
      },
    });
    this.#commands = new CommandRepository(this.#access.door, officeId);
    this.#deadLetters = new DeadLetters({ commands: this.#commands, onProblem });
    this.commands = commandDesk(this.#commands, this.#deadLetters);
  }

  office(): OfficeLink {
    this.#checkOpen();
    const { clock, onProblem, times, officeId, sessionLabels, keepEndedMs } = this.#settings;
    const { door } = this.#access;
    const office = new SupabaseOffice({
      clock,
      onProblem,
      commands: this.#commands,
      onDeaths: () => this.#deadLetters.look(),
      hosts: new HostRepository(door, officeId),
      events: new EventRepository(door, officeId),
      pace: this.#pace,
      sweepMs: times.leaseMs / 3,
      hostGraceMs: times.hostGraceMs,
      forget: forgetIn(door, officeId),
      keepEndedMs,
      answerTimeoutMs: times.answerTimeoutMs,
      labels: sessionLabels,
      openChannel: (listeners) => this.#channel(eventsTopic(officeId), listeners),
    });
    this.#ends.add(office);
    return office;
  }

  async host(options: HostOptions): Promise<SupabaseHostLink> {
    this.#checkOpen();
    const host = await openHost(parseEdge(hostOptionsSchema, options, { what: 'host options' }), {
      settings: this.#settings,
      door: this.#access.door,
      commands: this.#commands,
      pace: this.#pace,
      channel: (topic, listeners) => this.#channel(topic, listeners),
    });
    this.#ends.add(host);
    return host;
  }

  jobStore(): JobStore {
    return supabaseJobStore(this.#access.door, this.#settings.officeId);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await Promise.all([...this.#ends].map((end) => end.close()));
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
    const channel = new OfficeChannel({
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
    this.#channels.add(channel);
    return channel;
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new SemoError('closed', 'This transport was closed. Make another one.');
  }
}
