import {
  EventHub,
  SemoError,
  type Clock,
  type Command,
  type CommandResult,
  type LinkStatus,
  type OfficeLink,
  type Unsubscribe,
  type WireEvent,
} from '@semo-office/core';

import { CommandDispatcher, type DispatcherParts } from '../command/command-dispatcher.ts';
import type { ClosableDoor } from '../database/closable-door.ts';
import { EventFeed } from '../events/event-feed.ts';
import type { EventRepository } from '../events/event-repository.ts';
import type { HostRepository } from '../host/host-repository.ts';
import { PROTOCOL_VERSION, protocolMismatch } from '../protocol.ts';
import type { OfficeChannel } from '../realtime/office-channel.ts';
import { announcedId } from '../realtime/office-topic.ts';
import type { PollPace } from '../waking/poll-pace.ts';
import { Forgetting, type Forget } from './forgetting.ts';
import { settledWithin } from '../waking/settled-within.ts';
import { HostWatch } from './host-watch.ts';

/** What {@link SupabaseOffice} needs. */
export interface OfficeParts extends Pick<DispatcherParts, 'commands' | 'answerTimeoutMs' | 'labels'> {
  readonly clock: Clock;
  /** By which everything here goes to the database. */
  readonly door: Pick<ClosableDoor, 'close'>;
  readonly hosts: HostRepository;
  readonly events: EventRepository;
  readonly pace: PollPace;
  /** How often to notice what time has done, in milliseconds. */
  readonly sweepMs: number;
  /** For how long a lost host may come back to its sessions, in milliseconds. */
  readonly hostGraceMs: number;
  readonly forget: Forget;
  /** For how long what is over is kept, in milliseconds; `false`: for good. */
  readonly keepEndedMs: number | false;
  /** Told when commands have died, or may have. */
  readonly onDeaths: () => void;
  readonly onProblem: (problem: SemoError) => void;
  /** How long closing waits for the channel to be taken down, in milliseconds. */
  readonly closeTimeoutMs: number;
  readonly onClosed: () => void;
  /** Makes the channel on which things are announced; `null`: there is none. */
  readonly openChannel: (listeners: AnnouncementListeners) => OfficeChannel | null;
}

/** What a channel tells an office. */
export interface AnnouncementListeners {
  readonly onBroadcast: (event: string, payload: unknown) => void;
  readonly onCatchUp: () => void;
  readonly onLive: (isLive: boolean) => void;
}

interface LinkEvents {
  event: WireEvent;
  status: LinkStatus;
}

/** So many looks in a row must fail before the line counts as down. */
const DOWN_AFTER_FAILURES = 2;

/** The office's end: dispatches commands, and tells what hosts tell. */
export class SupabaseOffice implements OfficeLink {
  readonly #parts: OfficeParts;
  readonly #hub = new EventHub<LinkEvents>();
  readonly #dispatcher: CommandDispatcher;
  readonly #feed: EventFeed;
  readonly #channel: OfficeChannel | null;
  readonly #watch: HostWatch;
  #line: 'up' | 'down' | 'closed' = 'up';
  #closing: Promise<void> | null = null;

  constructor(parts: OfficeParts) {
    this.#parts = parts;
    const { clock, commands, pace, answerTimeoutMs, labels, events } = parts;
    const onProblem = (problem: SemoError): void => this.#tell(problem);
    const ready = (): Promise<void> => this.#feed.begin();
    const isLive = (): boolean => this.#channel?.isLive ?? false;
    const onFailure = (error: SemoError, failures: number): void => this.#failed(error, failures);
    const onRecovery = (): void => this.#setLine('up');
    const livingHosts = (): Promise<string[]> => this.#livingHosts();
    const shared = { clock, isLive, pace, onFailure, onRecovery };
    this.#dispatcher = new CommandDispatcher({ ...shared, commands, ready, livingHosts, answerTimeoutMs, labels });
    this.#feed = new EventFeed({
      ...shared,
      events,
      onProblem,
      onEvent: (event) => this.#hub.emit('event', event),
      onGap: (hostId) => this.#missed(hostId),
    });
    this.#channel = parts.openChannel({
      onBroadcast: (event, payload) => this.#announced(event, payload),
      onCatchUp: () => this.#catchUp(),
      onLive: () => {
        this.#dispatcher.repace();
        this.#feed.repace();
      },
    });
    this.#channel?.open();
    this.#feed.wake();
    this.#watch = new HostWatch({
      clock,
      hosts: parts.hosts,
      everyMs: parts.sweepMs,
      graceMs: parts.hostGraceMs,
      forgetting: forgettingOf(parts),
      onProblem,
      onSwept: parts.onDeaths,
    });
  }

  async dispatch(command: Command, call: { readonly signal?: AbortSignal | undefined } = {}): Promise<CommandResult> {
    const answer = await this.#dispatcher.dispatch(command, call);
    this.#feed.wake();
    return answer;
  }

  onEvent(listener: (event: WireEvent) => void): Unsubscribe {
    return this.#hub.on('event', listener);
  }

  onStatus(listener: (status: LinkStatus) => void): Unsubscribe {
    return this.#hub.on('status', listener);
  }

  /** There is a new token. */
  authorise(): Promise<void> {
    return this.#channel?.authorise() ?? Promise.resolve();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#line = 'closed';
    const { clock, door, closeTimeoutMs: ms, onClosed } = this.#parts;
    const closed = lineClosed();
    const dispatching = this.#dispatcher.close();
    // There is nothing here that is worth waiting for: what was asked for is asked for.
    door.close(closed);
    const channel = this.#channel?.close() ?? Promise.resolve();
    const leaving = settledWithin(channel, { clock, ms, orElse: () => closed }).catch(() => {});
    await Promise.all([leaving, dispatching, this.#feed.stop(), this.#watch.stop()]);
    onClosed();
    this.#hub.emit('status', 'closed');
    this.#hub.clear();
  }

  #announced(event: string, payload: unknown): void {
    if (event === 'result') this.#dispatcher.announced(announcedId(payload));
    if (event === 'events') this.#feed.announced();
    if (event === 'dead') this.#parts.onDeaths();
    // What it was asked may have no other answer than that it is lost.
    if (event === 'host') this.#dispatcher.announced();
  }

  #catchUp(): void {
    this.#dispatcher.announced();
    this.#feed.announced();
  }

  #failed(error: SemoError, failures: number): void {
    this.#tell(error);
    if (failures >= DOWN_AFTER_FAILURES) this.#setLine('down');
  }

  /** Of what is given up as this is closed nobody need hear. */
  #tell(problem: SemoError): void {
    if (this.#line !== 'closed') this.#parts.onProblem(problem);
  }

  #setLine(line: 'up' | 'down'): void {
    if (this.#line === 'closed' || this.#line === line) return;
    this.#line = line;
    this.#hub.emit('status', line === 'up' ? 'connected' : 'disconnected');
  }

  /** Whoever hears that the line was down asks for what matters. */
  #missed(hostId: string): void {
    this.#tell(new SemoError('host_lost', `Events of host ${hostId} were gone before they could be read.`));
    this.#setLine('down');
    this.#setLine('up');
  }

  async #livingHosts(): Promise<string[]> {
    const hosts = await this.#parts.hosts.living();
    const other = hosts.find(({ protocol }) => protocol !== PROTOCOL_VERSION);
    if (other !== undefined)
      throw new SemoError('not_supported', protocolMismatch(other.host_id, other.protocol), {
        details: { hostId: other.host_id, protocol: other.protocol, officeProtocol: PROTOCOL_VERSION },
      });
    return hosts.map(({ host_id: hostId }) => hostId);
  }
}

function forgettingOf({ clock, forget, keepEndedMs, onProblem }: OfficeParts): Forgetting | null {
  return keepEndedMs === false ? null : new Forgetting({ clock, forget, keepMs: keepEndedMs, onProblem });
}

function lineClosed(): SemoError {
  return new SemoError('closed', 'This line was closed before the database had answered.');
}
