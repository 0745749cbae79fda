import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Caller } from '../postgres/local-postgres.ts';
import { Channel, topicPrefix } from './channel.ts';
import type { ChannelLink, ChannelServices } from './channel.ts';
import { ChannelRefusal } from './channel-token.ts';
import { decodeBinary, decodeText, encode } from './frame.ts';
import type { ClientMessage, ServerMessage, WireVersion } from './frame.ts';
import { parseJoin } from './join-request.ts';

export interface ClientSocketParts {
  readonly version: WireVersion;
  /** Whom the key it was opened with stands for. */
  readonly caller: Caller;
  readonly services: ChannelServices;
  /** While true, the socket stays open and nothing goes through it, as when a cable is cut. */
  readonly isSilent: () => boolean;
}

/** One client's connection, and the channels on it. */
export class ClientSocket implements ChannelLink {
  readonly caller: Caller;
  readonly #socket: WebSocket;
  readonly #parts: ClientSocketParts;
  readonly #channels = new Map<string, Channel>();
  /** What a client says on a topic is handled in its order; topics do not wait for each other. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(socket: WebSocket, parts: ClientSocketParts) {
    this.caller = parts.caller;
    this.#socket = socket;
    this.#parts = parts;
    socket
      .on('message', (data, isBinary) => this.#receive(data, isBinary))
      .on('close', () => {
        for (const channel of this.#channels.values()) channel.abandon();
      })
      .on('error', () => undefined);
  }

  /** In the order they were joined. */
  get channels(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  send(message: ServerMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN || this.#parts.isSilent()) return;
    const frame = encode(message, this.#parts.version);
    if (frame !== undefined) this.#socket.send(frame);
  }

  closed(channel: Channel): void {
    if (this.#channels.get(channel.topic) === channel) this.#channels.delete(channel.topic);
  }

  /** Cuts the connection; the client hears no word of it but the end of the stream. */
  drop(): void {
    this.#socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#parts.isSilent()) return;
    let message: ClientMessage;
    try {
      const bytes = data as Buffer;
      message = isBinary ? decodeBinary(bytes) : decodeText(bytes.toString('utf8'), this.#parts.version);
    } catch {
      // Phoenix ends a socket that it does not understand.
      this.#socket.close(1011);
      return;
    }
    const { topic } = message;
    if (topic === 'phoenix') return this.#reply(message, 'ok', {});
    const turn = (this.#turns.get(topic) ?? Promise.resolve()).then(() => this.#handle(message));
    this.#turns.set(topic, turn);
  }

  async #handle(message: ClientMessage): Promise<void> {
    if (message.event === 'phx_join' && message.topic.startsWith(topicPrefix)) return this.#join(message);
    const channel = this.#channels.get(message.topic);
    // What was said to an earlier channel of this topic is not meant for the one that took its place.
    const isForIt = message.joinRef === null || message.joinRef === channel?.joinRef;
    if (channel !== undefined && isForIt) return channel.handle(message);
    this.#reply(message, 'error', { reason: 'unmatched topic' });
  }

  async #join(message: ClientMessage): Promise<void> {
    this.#channels.get(message.topic)?.replace();
    const { content } = message;
    try {
      const request = parseJoin(content.kind === 'json' ? content.payload : undefined);
      if ((request.config.postgres_changes ?? []).length > 0) {
        throw new ChannelRefusal('RealtimeDisabledForConfiguration', 'The testbed knows Broadcast and Presence only');
      }
      const channel = await Channel.join(message, request, { services: this.#parts.services, link: this });
      if (this.#socket.readyState !== this.#socket.OPEN) return channel.abandon();
      this.#channels.set(message.topic, channel);
      this.#reply(message, 'ok', { postgres_changes: [] });
      channel.greet();
    } catch (error) {
      // A hosted server keeps a refused client waiting for 5 s; here it is told at once.
      this.#reply(message, 'error', { reason: reasonOf(error) });
    }
  }

  #reply({ joinRef, ref, topic }: ClientMessage, status: 'ok' | 'error', response: object): void {
    this.send({ kind: 'json', joinRef, ref, topic, event: 'phx_reply', payload: { status, response } });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ChannelRefusal) return `${error.code}: ${error.message}`;
  return error instanceof z.ZodError ? `InvalidJoinPayload: ${z.prettifyError(error)}` : 'Unknown Error on Channel';
}
