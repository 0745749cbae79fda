import { z } from 'zod';

/** Version of the wire format: objects, or arrays and binary frames. */
export type WireVersion = '1.0.0' | '2.0.0';

/** What a user broadcasts; the server passes its bytes on. */
export interface UserBroadcast {
  readonly event: string;
  readonly encoding: 'json' | 'binary';
  readonly bytes: Uint8Array;
}

/** What a client sends. */
export interface ClientMessage {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly content: { readonly kind: 'json'; readonly payload: unknown } | ({ readonly kind: 'user' } & UserBroadcast);
}

/** What the server sends. */
export type ServerMessage =
  | {
      readonly kind: 'json';
      readonly joinRef: string | null;
      readonly ref: string | null;
      readonly topic: string;
      readonly event: string;
      readonly payload: unknown;
    }
  | ({ readonly kind: 'user'; readonly topic: string } & UserBroadcast);

/** First byte of a binary frame. */
const frameKind = { userBroadcastPush: 3, userBroadcast: 4 } as const;
const jsonEncoding = 1;

const ref = z.string().nullish().default(null);
const objectSchema = z.object({
  topic: z.string(),
  event: z.string(),
  payload: z.unknown(),
  ref,
  join_ref: ref,
});
const arraySchema = z.tuple([z.string().nullable(), z.string().nullable(), z.string(), z.string(), z.unknown()]);

/** @throws Error or ZodError when it is no frame of this version. */
export function decodeText(text: string, version: WireVersion): ClientMessage {
  const data: unknown = JSON.parse(text);
  if (version === '1.0.0') {
    const { topic, event, payload, ref, join_ref: joinRef } = objectSchema.parse(data);
    return { joinRef, ref, topic, event, content: { kind: 'json', payload } };
  }
  const [joinRef, ref, topic, event, payload] = arraySchema.parse(data);
  return { joinRef, ref, topic, event, content: { kind: 'json', payload } };
}

/**
 * Reads `[3, joinRef, ref, topic, event, metadata (lengths), encoding]`, the texts in that order, then the payload.
 * @throws Error when it is another kind of frame.
 */
export function decodeBinary(frame: Buffer): ClientMessage {
  if (frame[0] !== frameKind.userBroadcastPush) throw new Error(`Not a known kind of frame: ${frame[0]}`);
  const headerLength = 7;
  let offset = headerLength;
  const [joinRef = '', ref = '', topic = '', event = ''] = [1, 2, 3, 4, 5].map((place) => {
    const length = frame.readUInt8(place);
    offset += length;
    return frame.toString('utf8', offset - length, offset);
  });
  const encoding = frame.readUInt8(6) === jsonEncoding ? 'json' : 'binary';
  const content = { kind: 'user', event, encoding, bytes: frame.subarray(offset) } as const;
  return { joinRef: joinRef === '' ? null : joinRef, ref: ref === '' ? null : ref, topic, event: 'broadcast', content };
}

/** `undefined` for what the version cannot say: binary payloads in 1.0.0. */
export function encode(message: ServerMessage, version: WireVersion): string | Buffer | undefined {
  if (message.kind === 'user') return version === '2.0.0' ? encodeUser(message) : encodeUserAsObject(message);
  const { joinRef, ref, topic, event, payload } = message;
  return version === '2.0.0'
    ? JSON.stringify([joinRef, ref, topic, event, payload])
    : JSON.stringify({ topic, event, payload, ref });
}

type UserMessage = Extract<ServerMessage, { readonly kind: 'user' }>;

/** `[4, topic, event, metadata (lengths), encoding]`, the texts, then the payload. There is no metadata. */
function encodeUser({ topic, event, encoding, bytes }: UserMessage): Buffer {
  const [topicBytes, eventBytes] = [Buffer.from(topic), Buffer.from(event)];
  const isJson = encoding === 'json' ? jsonEncoding : 0;
  const header = [frameKind.userBroadcast, topicBytes.length, eventBytes.length, 0, isJson];
  return Buffer.concat([Buffer.from(header), topicBytes, eventBytes, bytes]);
}

function encodeUserAsObject({ topic, event, encoding, bytes }: UserMessage): string | undefined {
  if (encoding === 'binary') return undefined;
  const payload: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return JSON.stringify({ topic, event: 'broadcast', payload: { type: 'broadcast', event, payload }, ref: null });
}
