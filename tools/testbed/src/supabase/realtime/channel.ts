import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '../postgres/local-postgres.ts';
import type { ProjectKeys } from '../project-keys.ts';
import { admit, everything } from './channel-admission.ts';
import type { ChannelPolicies, Permission } from './channel-policies.ts';
import { readChannelToken } from './channel-token.ts';
import type { ChannelIdentity } from './channel-token.ts';
import type { ClientMessage, ServerMessage } from './frame.ts';
import type { JoinRequest } from './join-request.ts';
import type { Listener, RoomName, TopicEvent, TopicRooms } from './topic-room.ts';

/** What every channel shares. */
export interface ChannelServices {
  readonly keys: ProjectKeys;
  readonly policies: ChannelPolicies;
  readonly rooms: TopicRooms;
  /** Resolves when broadcasts from the database flow. */
  readonly replicationReady: () => Promise<void>;
}

/** The socket that a channel is on. */
export interface ChannelLink {
  /** Whom the socket's key stands for. */
  readonly caller: Caller;
  send(message: ServerMessage): void;
  /** The channel is over; nothing more comes from it. */
  closed(channel: Channel): void;
}

export const topicPrefix = 'realtime:';

/** Timers take no longer delays than this; a later end is looked at again then. */
const longestTimerMs = 3_600_000;

const presenceSchema = z.object({
  event: z.string().toLowerCase(),
  payload: z.record(z.string(), z.unknown()).default({}),
});
const tokenSchema = z.object({ access_token: z.string().nullish() });

/** A topic that one client has joined. */
export class Channel implements Listener {
  readonly topic: string;
  readonly joinRef: string | null;
  readonly #request: JoinRequest;
  readonly #services: ChannelServices;
  readonly #link: ChannelLink;
  readonly #presenceKey: string;
  #identity: ChannelIdentity;
  #token: string | null | undefined;
  #mayHear: Permission = everything;
  /** Asked of the policies at the first broadcast after a join or a new token. */
  #maySend: Permission | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #isOpen = true;

  private constructor(message: ClientMessage, request: JoinRequest, parts: ChannelParts) {
    this.topic = message.topic;
    this.joinRef = message.joinRef ?? message.ref;
    this.#request = request;
    this.#services = parts.services;
    this.#link = parts.link;
    this.#identity = parts.identity;
    this.#token = request.access_token;
    this.#presenceKey = request.config.presence.key === '' ? randomUUID() : request.config.presence.key;
  }

  /** @throws ChannelRefusal when the token or the policies refuse. */
  static async join(
    message: ClientMessage,
    request: JoinRequest,
    { services, link }: Omit<ChannelParts, 'identity'>,
  ): Promise<Channel> {
    const reading = { keys: services.keys, socketCaller: link.caller };
    const identity = await readChannelToken(request.access_token, reading);
    const channel = new Channel(message, request, { services, link, identity });
    channel.#mayHear = await channel.#admit(identity);
    services.rooms.join(channel.#room, channel);
    channel.#armExpiry();
    return channel;
  }

  /** Says what comes after the reply to the join. */
  greet(): void {
    if (this.#request.config.presence.enabled && this.#mayHear.presence) {
      this.#push('presence_state', this.#services.rooms.presenceState(this.#room));
    }
    if (!this.#request.config.broadcast.replication_ready) return;
    this.#services.replicationReady().then(
      () => this.#pushSystem('ok', 'Replication connection established'),
      () => this.shutDown('Replication connection was not established in time'),
    );
  }

  hear(event: TopicEvent): void {
    if (!this.#isOpen) return;
    const isPresence = event.kind === 'json' && event.event === 'presence_diff';
    if (!(isPresence ? this.#mayHear.presence : this.#mayHear.broadcast)) return;
    if (event.kind === 'user') this.#link.send({ ...event, topic: this.topic });
    else this.#link.send({ ...event, joinRef: null, ref: null, topic: this.topic });
  }

  /** Whatever comes after the join. What it does not know it ignores. */
  async handle(message: ClientMessage): Promise<void> {
    switch (message.event) {
      case 'phx_leave':
        this.#reply(message, 'ok', {});
        return this.#end();
      case 'access_token':
        return this.#refreshToken(message);
      case 'broadcast':
        return this.#broadcast(message);
      case 'presence':
        return this.#presence(message);
      default:
        return;
    }
  }

  /** Closes it from the server's side: the client hears why, and does not join again by itself. */
  shutDown(reason: string): void {
    if (!this.#isOpen) return;
    this.#pushSystem('error', reason);
    this.#end();
  }

  /** Forgets it without a word: its socket is gone. */
  abandon(): void {
    this.#isOpen = false;
    clearTimeout(this.#expiry);
    this.#services.rooms.leave(this.#room, this);
  }

  /** A second join of the same topic on a socket takes the first one's place. */
  replace(): void {
    this.#end();
  }

  /** The topic as its users know it, without `realtime:`. */
  get subTopic(): string {
    return this.topic.slice(topicPrefix.length);
  }

  get #room(): RoomName {
    return { topic: this.subTopic, isPrivate: this.#request.config.private };
  }

  #admit({ caller }: ChannelIdentity): Promise<Permission> {
    const { private: isPrivate, presence } = this.#request.config;
    const admission = { topic: this.subTopic, isPrivate, wantsPresence: presence.enabled, caller };
    return admit(this.#services.policies, admission);
  }

  async #refreshToken({ content }: ClientMessage): Promise<void> {
    const token = content.kind === 'json' ? tokenSchema.safeParse(content.payload).data?.access_token : null;
    if (token === null || token === undefined || token.startsWith('sb_') || token === this.#token) return;
    const { keys } = this.#services;
    try {
      const identity = await readChannelToken(token, { keys, socketCaller: this.#link.caller });
      this.#mayHear = await this.#admit(identity);
      this.#identity = identity;
      this.#token = token;
      this.#maySend = undefined;
      this.#armExpiry();
    } catch (error) {
      this.shutDown(error instanceof Error ? error.message : String(error));
    }
  }

  async #broadcast(message: ClientMessage): Promise<void> {
    // A broadcast that is denied gets no answer at all.
    if (!(await this.#askMaySend()).broadcast) return;
    const { ack, self } = this.#request.config.broadcast;
    const { content } = message;
    const event: TopicEvent =
      content.kind === 'user' ? content : { kind: 'json', event: 'broadcast', payload: content.payload };
    this.#services.rooms.broadcast(this.#room, event, self ? undefined : this);
    if (ack) this.#reply(message, 'ok', {});
  }

  async #presence(message: ClientMessage): Promise<void> {
    const parsed = presenceSchema.safeParse(message.content.kind === 'json' ? message.content.payload : undefined);
    const { rooms } = this.#services;
    const event = parsed.data?.event;
    if (event === 'untrack') {
      rooms.untrack(this.#room, this);
    } else if (event === 'track' && (await this.#askMaySend()).presence) {
      rooms.track(this.#room, this, { key: this.#presenceKey, payload: parsed.data?.payload ?? {} });
    } else {
      return this.#reply(message, 'error', {});
    }
    this.#reply(message, 'ok', {});
  }

  /** Nobody may send while the database cannot be asked. */
  async #askMaySend(): Promise<Permission> {
    if (!this.#request.config.private) return everything;
    try {
      this.#maySend ??= await this.#services.policies.maySend(this.subTopic, this.#identity.caller);
    } catch {
      return { broadcast: false, presence: false };
    }
    return this.#maySend;
  }

  #armExpiry(): void {
    clearTimeout(this.#expiry);
    const { expiresAtS } = this.#identity;
    if (expiresAtS === null || !this.#isOpen) return;
    const leftMs = expiresAtS * 1_000 - Date.now();
    const look = (): void => {
      if (Date.now() < expiresAtS * 1_000) return this.#armExpiry();
      const secondsAgo = Math.floor(Date.now() / 1_000 - expiresAtS);
      this.shutDown(`Token has expired ${secondsAgo} seconds ago`);
    };
    this.#expiry = setTimeout(look, Math.min(Math.max(leftMs, 0), longestTimerMs));
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.abandon();
    this.#link.closed(this);
    const { topic, joinRef } = this;
    this.#link.send({ kind: 'json', joinRef, ref: joinRef, topic, event: 'phx_close', payload: {} });
  }

  #push(event: string, payload: unknown): void {
    this.#link.send({ kind: 'json', joinRef: this.joinRef, ref: null, topic: this.topic, event, payload });
  }

  #pushSystem(status: 'ok' | 'error', message: string): void {
    if (this.#isOpen) this.#push('system', { extension: 'system', status, message, channel: this.subTopic });
  }

  #reply({ ref }: ClientMessage, status: 'ok' | 'error', response: object): void {
    const { joinRef, topic } = this;
    this.#link.send({ kind: 'json', joinRef, ref, topic, event: 'phx_reply', payload: { status, response } });
  }
}

interface ChannelParts {
  readonly services: ChannelServices;
  readonly link: ChannelLink;
  readonly identity: ChannelIdentity;
}
