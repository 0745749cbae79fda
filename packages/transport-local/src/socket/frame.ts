import { SemoError, commandResultSchema, parseEdge, wireEventSchema } from '@semo-office/core';
import { z } from 'zod';

/** Raised whenever a frame changes its meaning. Both ends must speak the same one. */
export const PROTOCOL_VERSION = 1;

const seq = z.number().int().nonnegative();

// A hello is read before anything is known of the other end, so it says no more than what every version says.
const hello = z.object({ kind: z.literal('hello'), protocol: z.number().int() });
const refused = z.object({ kind: z.literal('refused'), message: z.string().max(10_000) });

/** What an office sends. What a command holds is parsed by whoever serves it. */
export const officeFrameSchema = z.discriminatedUnion('kind', [
  hello,
  refused,
  z.object({ kind: z.literal('command'), seq, command: z.unknown() }),
]);

/** What a host sends. */
export const hostFrameSchema = z.discriminatedUnion('kind', [
  hello,
  refused,
  z.object({ kind: z.literal('result'), seq, result: commandResultSchema }),
  z.object({ kind: z.literal('event'), event: wireEventSchema }),
]);

/** See {@link officeFrameSchema}. */
export type OfficeFrame = z.input<typeof officeFrameSchema>;
/** See {@link hostFrameSchema}. */
export type HostFrame = z.input<typeof hostFrameSchema>;

/** A frame as a line. */
export function encodeFrame(frame: OfficeFrame | HostFrame): Buffer {
  return Buffer.from(`${JSON.stringify(frame)}\n`, 'utf8');
}

/** The frame of a line. @throws SemoError `invalid_message`. */
export function decodeFrame<Schema extends z.ZodType>(schema: Schema, line: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (thrown) {
    throw new SemoError('invalid_message', 'A frame is not JSON. Is the other end semo-office?', { cause: thrown });
  }
  return parseEdge(schema, value, { what: 'frame', code: 'invalid_message' });
}

/** The error of two ends that speak different versions. */
export function protocolMismatch(theirs: number): SemoError {
  return new SemoError(
    'not_supported',
    `The other end of the socket speaks protocol ${theirs}, this one ${PROTOCOL_VERSION}. Use the same version of semo-office for both.`,
    { details: { theirs, ours: PROTOCOL_VERSION } },
  );
}
