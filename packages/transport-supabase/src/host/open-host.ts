import type { SemoError } from '@semo-office/core';

import { CommandRepository } from '../command/command-repository.ts';
import type { ClosableDoor } from '../database/closable-door.ts';
import { EventRepository } from '../events/event-repository.ts';
import { SessionRealtimeEvents } from '../events/session-realtime-events.ts';
import { guarded } from '../guarded.ts';
import type { AnnouncementListeners } from '../office/supabase-office.ts';
import type { OfficeChannel } from '../realtime/office-channel.ts';
import { commandsTopic } from '../realtime/office-topic.ts';
import { supabaseRequestStore } from '../store/request-store.ts';
import { supabaseSessionStore, type HostStoreParts } from '../store/session-store.ts';
import type { HostOptions, TransportSettings } from '../transport-options.ts';
import type { PollPace } from '../waking/poll-pace.ts';
import { HostRegistration } from './host-registration.ts';
import { HostRepository } from './host-repository.ts';
import { OfficeSubscriber } from './office-subscriber.ts';
import { LeftBehind } from './left-behind.ts';
import { LivingSessions } from './living-sessions.ts';
import { SupabaseHost, type HostParts } from './supabase-host.ts';

/** What a host's end is made with. */
export interface OpenHostParts {
  readonly settings: TransportSettings;
  /** By which everything of the host goes to the database; the host closes it. */
  readonly door: ClosableDoor;
  readonly pace: PollPace;
  readonly channel: (topic: string, listeners: AnnouncementListeners) => OfficeChannel | null;
  readonly onClosed: (host: SupabaseHost) => void;
}

/** Output waits for the office in so much memory, and goes in batches of about so much. */
const OUTBOX = { maxOutputBytes: 1024 * 1024, maxBatchBytes: 64 * 1024 };

type ParsedHostOptions = HostOptions & Required<Pick<HostOptions, 'labels' | 'agentVersions'>>;

/** Registers a host and puts its end together. */
export async function openHost(options: ParsedHostOptions, parts: OpenHostParts): Promise<SupabaseHost> {
  const { door } = parts;
  const { clock, onProblem, times, officeId } = parts.settings;
  const onSuperseded = guarded(options.onSuperseded ?? (() => {}));
  const hosts = new HostRepository(door, officeId);
  const sessions = new LivingSessions(options.sessions);
  const leftBehind = new LeftBehind({ clock, onGone: (event) => host.publish(event), onProblem });
  const registration = await HostRegistration.begin({
    clock,
    hosts,
    profile: { ...options, leaseMs: times.leaseMs, instance: crypto.randomUUID() },
    sessions: () => sessions.ids,
    held: () => subscriber.held,
    onRegisteredAgain: () => goOn(subscriber, host),
    onLeftBehind: (sessionIds) => leftBehind.add(sessionIds),
    onDraining: (isDraining) => host.setDraining(isDraining),
    // Their answers will be refused; there is nothing else to do.
    onLost: () => {},
    onSuperseded: (why) => giveWay(host, { why, tell: [onProblem, onSuperseded] }),
    onProblem,
  });
  const subscriber = new OfficeSubscriber({
    clock,
    commands: new CommandRepository(door, officeId),
    registration,
    isLive: () => channel?.isLive ?? false,
    pace: parts.pace,
    leaseMs: times.leaseMs,
    onAnswered: () => sessions.changed(),
    onProblem,
  });
  const channel = parts.channel(commandsTopic(officeId, options.hostId), {
    onBroadcast: () => subscriber.announced(),
    onCatchUp: () => subscriber.announced(),
    onLive: () => subscriber.repace(),
  });
  const host = new SupabaseHost({
    clock,
    door,
    registration,
    subscriber,
    events: eventsOf(parts, { registration, sessions }),
    channel,
    sessions,
    leftBehind,
    stores: storesOf({ door, officeId, fence: () => registration.fence }),
    closeTimeoutMs: times.closeTimeoutMs,
    onClosed: () => parts.onClosed(host),
  });
  return host;
}

/** The host was given up and is there again. */
function goOn(subscriber: OfficeSubscriber, host: SupabaseHost): void {
  subscriber.wake();
  void host.tellAgain();
}

interface Succession {
  readonly why: SemoError;
  readonly tell: readonly ((why: SemoError) => void)[];
}

/** Another process is this host by now. */
function giveWay(host: SupabaseHost, { why, tell }: Succession): void {
  void host.abandon(why);
  for (const listener of tell) listener(why);
}

/** What happens on a host, on its way to the office. */
function eventsOf(
  { settings: { clock, onProblem, times, officeId, batchesPerSecond }, door }: OpenHostParts,
  { registration, sessions }: { readonly registration: HostRegistration; readonly sessions: LivingSessions },
): SessionRealtimeEvents {
  return new SessionRealtimeEvents({
    ...OUTBOX,
    clock,
    events: new EventRepository(door, officeId),
    registration,
    infoOf: (sessionId) => sessions.infoOf(sessionId),
    times: { eventMs: times.eventBatchMs, outputMs: times.outputBatchMs },
    rate: { perSecond: batchesPerSecond, burst: Math.max(2 * batchesPerSecond, 1) },
    onProblem,
  });
}

function storesOf(parts: HostStoreParts): HostParts['stores'] {
  return { sessionStore: supabaseSessionStore(parts), requestStore: supabaseRequestStore(parts) };
}
