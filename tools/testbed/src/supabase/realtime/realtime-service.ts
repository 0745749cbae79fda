import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { BroadcastTamperer } from '../faults/broadcast-tampering.ts';
import type { BroadcastTampering } from '../faults/broadcast-tampering.ts';
import { FaultSwitch } from '../faults/fault.ts';
import type { Fault, FaultDuration } from '../faults/fault.ts';
import type { Caller, LocalPostgres } from '../postgres/local-postgres.ts';
import type { ProjectKeys } from '../project-keys.ts';
import { BroadcastApi } from './broadcast-api.ts';
import type { ChannelServices } from './channel.ts';
import { ChannelPolicies } from './channel-policies.ts';
import { ClientSocket } from './client-socket.ts';
import { DatabaseFeed } from './database-feed.ts';
import type { DatabaseMessage } from './database-feed.ts';
import { TopicRooms } from './topic-room.ts';

/** What can go wrong between clients and Realtime. */
export interface RealtimeFaults {
  /** Cuts every connection without a closing word. Gives how many there were. */
  dropSockets(): number;
  /** Cuts every connection, and refuses new ones and broadcasts over HTTP. */
  goDown(duration?: FaultDuration): Fault;
  /** Answers attempts to connect with this status. Default: 503. Open connections stay. */
  refuseUpgrades(options?: FaultDuration & { readonly status?: number }): Fault;
  /** Connections stay open, and nothing goes through in either direction; what is said meanwhile is lost. */
  fallSilent(duration?: FaultDuration): Fault;
  /**
   * Closes channels as the server does it, with a reason: clients do not join again by themselves. Gives how many.
   * @param options.topic Only this topic's, without `realtime:`. Default: every channel.
   */
  closeChannels(options?: { readonly topic?: string; readonly reason?: string }): number;
  /** Loses, doubles and delays broadcasts, from whomever they come. */
  tamperWithBroadcasts(tampering: BroadcastTampering): Fault;
}

/** What is connected. */
export interface RealtimeState {
  readonly socketCount: number;
  /** The topics of every open channel, without `realtime:`; a topic as often as it is joined. */
  readonly joinedTopics: readonly string[];
}

/** Broadcast and Presence of a Realtime server, for unmodified clients. */
export class RealtimeService implements RealtimeFaults, RealtimeState, AsyncDisposable {
  readonly #keys: ProjectKeys;
  readonly #policies: ChannelPolicies;
  readonly #feed: DatabaseFeed;
  readonly #services: ChannelServices;
  readonly #api: BroadcastApi;
  readonly #sockets = new Set<ClientSocket>();
  readonly #upgrades = new WebSocketServer({ noServer: true });
  readonly #tamperer = new BroadcastTamperer();
  readonly #refusal = new FaultSwitch<number>();
  readonly #silence = new FaultSwitch<true>();
  readonly #outage = new FaultSwitch<true>();

  constructor(postgres: LocalPostgres, keys: ProjectKeys) {
    const rooms = new TopicRooms(this.#tamperer);
    const broadcast = ({ id, topic, event, private: isPrivate, payload }: DatabaseMessage): void => {
      const said = { type: 'broadcast', event, payload, meta: { id } };
      rooms.broadcast({ topic, isPrivate }, { kind: 'json', event: 'broadcast', payload: said });
    };
    this.#keys = keys;
    this.#policies = new ChannelPolicies(postgres);
    this.#feed = new DatabaseFeed(postgres, broadcast);
    this.#services = { keys, policies: this.#policies, rooms, replicationReady: () => this.#feed.ready };
    this.#api = new BroadcastApi({ keys, policies: this.#policies, rooms });
  }

  /** Resolves when broadcasts from the database flow. */
  get ready(): Promise<void> {
    return this.#feed.ready;
  }

  get socketCount(): number {
    return this.#sockets.size;
  }

  get joinedTopics(): readonly string[] {
    return this.#channels().map(({ subTopic }) => subTopic);
  }

  async serve(incoming: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (this.#outage.value === undefined) return this.#api.serve(incoming, response, url);
    response.writeHead(503).end();
  }

  /** Answers an attempt to open a WebSocket at `/realtime/v1/websocket`. */
  upgrade(incoming: IncomingMessage, stream: Duplex, url: URL): void {
    const status = this.#outage.value === true ? 503 : this.#refusal.value;
    if (status !== undefined) return refuse(stream, status);
    const caller = this.#keys.callerOf(url.searchParams.get('apikey') ?? String(incoming.headers['x-api-key']));
    if (caller === undefined) return refuse(stream, 401);
    if (url.pathname !== '/realtime/v1/websocket') return refuse(stream, 404);
    const version = url.searchParams.get('vsn') === '2.0.0' ? '2.0.0' : '1.0.0';
    this.#upgrades.handleUpgrade(incoming, stream, Buffer.alloc(0), (socket) => {
      const client = new ClientSocket(socket, { ...this.#socketParts(caller), version });
      this.#sockets.add(client);
      socket.on('close', () => this.#sockets.delete(client));
    });
  }

  dropSockets(): number {
    const sockets = [...this.#sockets];
    for (const socket of sockets) socket.drop();
    return sockets.length;
  }

  goDown(duration?: FaultDuration): Fault {
    const fault = this.#outage.turnOn(true, duration);
    this.dropSockets();
    return fault;
  }

  refuseUpgrades({ status = 503, ...duration }: FaultDuration & { readonly status?: number } = {}): Fault {
    return this.#refusal.turnOn(status, duration);
  }

  fallSilent(duration?: FaultDuration): Fault {
    return this.#silence.turnOn(true, duration);
  }

  closeChannels({ topic, reason = 'Closed' }: { readonly topic?: string; readonly reason?: string } = {}): number {
    const channels = this.#channels().filter(({ subTopic }) => topic === undefined || subTopic === topic);
    for (const channel of channels) channel.shutDown(reason);
    return channels.length;
  }

  tamperWithBroadcasts(tampering: BroadcastTampering): Fault {
    return this.#tamperer.start(tampering);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropSockets();
    this.#upgrades.close();
    await Promise.all([this.#feed[Symbol.asyncDispose](), this.#policies[Symbol.asyncDispose]()]);
  }

  #channels() {
    return [...this.#sockets].flatMap(({ channels }) => channels);
  }

  #socketParts(caller: Caller) {
    return { caller, services: this.#services, isSilent: () => this.#silence.value === true };
  }
}

function refuse(stream: Duplex, status: number): void {
  const answer = `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
  stream.end(answer, () => stream.destroy());
}
