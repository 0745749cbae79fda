import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { Caller } from '../postgres/local-postgres.ts';
import type { ProjectKeys } from '../project-keys.ts';
import type { ChannelPolicies } from './channel-policies.ts';
import type { TopicEvent, TopicRooms } from './topic-room.ts';

const batchSchema = z.object({
  messages: z.array(
    z.object({
      topic: z.string(),
      event: z.string(),
      payload: z.record(z.string(), z.unknown()),
      private: z.boolean().default(false),
    }),
  ),
});

const path = '/realtime/v1/api/broadcast';

interface BroadcastApiParts {
  readonly keys: ProjectKeys;
  readonly policies: ChannelPolicies;
  readonly rooms: TopicRooms;
}

/** Broadcasts over HTTP: `POST /api/broadcast` for a batch, `POST /api/broadcast/:topic/events/:event` for one. */
export class BroadcastApi {
  readonly #parts: BroadcastApiParts;

  constructor(parts: BroadcastApiParts) {
    this.#parts = parts;
  }

  /** Answers every request under `/realtime/v1/`. */
  async serve(incoming: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const caller = await this.#authenticate(incoming);
    if (caller === undefined) return send(response, 401, { message: 'Unauthorized' });
    const body = await buffer(incoming);
    const [, topic, event] = /\/broadcast\/([^/]+)\/events\/([^/]+)$/.exec(url.pathname) ?? [];
    if (incoming.method !== 'POST') return send(response, 404, { message: 'Not found' });
    if (topic !== undefined && event !== undefined) {
      const isBinary = incoming.headers['content-type'] === 'application/octet-stream';
      const content = {
        event: decodeURIComponent(event),
        encoding: isBinary ? 'binary' : 'json',
        bytes: body,
      } as const;
      const room = { topic: decodeURIComponent(topic), isPrivate: url.searchParams.get('private') === 'true' };
      return this.#sendOne(response, { room, caller, event: { kind: 'user', ...content } });
    }
    if (url.pathname !== path) return send(response, 404, { message: 'Not found' });
    return this.#sendBatch(response, caller, body);
  }

  async #authenticate({ headers }: IncomingMessage): Promise<Caller | undefined> {
    const key = String(headers['apikey']);
    const caller = this.#parts.keys.callerOf(key);
    const token = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    if (caller === undefined || token === undefined || token === key) return caller;
    const reading = await this.#parts.keys.read(token, { toleranceS: 0 });
    return reading.kind === 'valid' ? reading.caller : undefined;
  }

  async #sendOne(response: ServerResponse, { room, caller, event }: Broadcast): Promise<void> {
    if (!(await this.#maySend({ room, caller }))) return send(response, 403, { message: 'Unauthorized' });
    this.#parts.rooms.broadcast(room, event);
    send(response, 202);
  }

  /** A message that is denied is left out, and nobody is told. */
  async #sendBatch(response: ServerResponse, caller: Caller, body: Buffer): Promise<void> {
    const batch = batchSchema.safeParse(jsonOf(body));
    if (!batch.success) return send(response, 422, { errors: z.flattenError(batch.error).fieldErrors });
    for (const { topic, event, payload, private: isPrivate } of batch.data.messages) {
      const room = { topic, isPrivate };
      if (!(await this.#maySend({ room, caller }))) continue;
      const said = { type: 'broadcast', event, payload };
      this.#parts.rooms.broadcast(room, { kind: 'json', event: 'broadcast', payload: said });
    }
    send(response, 202);
  }

  async #maySend({ room, caller }: Omit<Broadcast, 'event'>): Promise<boolean> {
    if (!room.isPrivate) return true;
    return this.#parts.policies.maySend(room.topic, caller).then(
      ({ broadcast }) => broadcast,
      () => false,
    );
  }
}

interface Broadcast {
  readonly room: { readonly topic: string; readonly isPrivate: boolean };
  readonly caller: Caller;
  readonly event: TopicEvent;
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
