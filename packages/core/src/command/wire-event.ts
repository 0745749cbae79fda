import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { humanRequestSchema } from '../session/human-request.ts';
import { settledStateSchema } from '../session/request-record.ts';
import { sessionStatusSchema } from '../session/session.ts';
import type { SessionEventName, SessionEvents } from '../session/session-manager.ts';
import { turnInfoSchema } from '../session/turn.ts';

const at = z.number();

/** An event as it travels from host to office; output bytes are base64. */
export const wireEventSchema = z.discriminatedUnion('name', [
  z.object({ name: z.literal('status'), sessionId: idSchema, status: sessionStatusSchema, at }),
  z.object({
    name: z.literal('output'),
    sessionId: idSchema,
    offset: z.number().int().nonnegative(),
    base64: z.base64(),
    at,
  }),
  z.object({
    name: z.literal('turn'),
    sessionId: idSchema,
    change: z.enum(['started', 'milestone', 'progress', 'stalled', 'waiting', 'resumed', 'ended', 'usage']),
    turn: turnInfoSchema,
    forMs: z.number().optional(),
    at,
  }),
  z.object({ name: z.literal('request'), request: humanRequestSchema, at }),
  z.object({ name: z.literal('request_settled'), request: humanRequestSchema, state: settledStateSchema, at }),
  z.object({
    name: z.literal('resources'),
    sessionId: idSchema,
    pssBytes: z.number().nonnegative(),
    cpuMs: z.number().nonnegative(),
    processes: z.number().int().nonnegative(),
    at,
  }),
  z.object({ name: z.literal('retiring'), sessionId: idSchema, at }),
  z.object({
    name: z.literal('exit'),
    sessionId: idSchema,
    code: z.number().nullable(),
    signal: z.string().nullable(),
    at,
  }),
]);

/** See {@link wireEventSchema}. */
export type WireEvent = z.infer<typeof wireEventSchema>;

/** An event in the shape it travels in. */
export function eventToWire<Name extends SessionEventName>(name: Name, event: SessionEvents[Name]): WireEvent {
  if (name !== 'output') return { name, ...event } as WireEvent;
  const { bytes, ...rest } = event as SessionEvents['output'];
  return { name: 'output', ...rest, base64: bytesToBase64(bytes) };
}

/** The name and the event a {@link WireEvent} stands for. */
export function eventFromWire(
  wire: WireEvent,
): { [Name in SessionEventName]: { name: Name; event: SessionEvents[Name] } }[SessionEventName] {
  if (wire.name === 'output') {
    const { name, base64, ...rest } = wire;
    return { name, event: { ...rest, bytes: base64ToBytes(base64) } };
  }
  const { name, ...event } = wire;
  return { name, event } as ReturnType<typeof eventFromWire>;
}

/** Bytes as base64 text, for a line of JSON. */
export function bytesToBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The bytes of a base64 text. */
export function base64ToBytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
