import { z } from 'zod';

import { openRequestSchema } from '../session/human-request.ts';
import type { OutputSlice } from '../session/output.ts';
import { sessionInfoSchema } from '../session/session.ts';
import { turnInfoSchema } from '../session/turn.ts';
import type { CommandBody } from './command.ts';
import { base64ToBytes, bytesToBase64 } from './wire-event.ts';

const offset = z.number().int().nonnegative();
const bounds = { from: offset, next: offset, start: offset, end: offset };

/** A piece of output as it travels; raw bytes are base64. */
export const wireOutputSliceSchema = z.discriminatedUnion('as', [
  z.object({ as: z.literal('raw'), ...bounds, base64: z.base64() }),
  z.object({ as: z.literal('text'), ...bounds, text: z.string() }),
  z.object({
    as: z.literal('screen'),
    ...bounds,
    lines: z.array(z.string()),
    cursor: z.object({ column: z.number(), row: z.number() }),
  }),
]);

/** See {@link wireOutputSliceSchema}. */
export type WireOutputSlice = z.infer<typeof wireOutputSliceSchema>;

/** What a successful command answers, by its kind. Commands that only do something answer `null`. */
export const commandAnswerSchemas = {
  create_session: sessionInfoSchema,
  send_prompt: turnInfoSchema,
  send_text: z.null(),
  send_keystrokes: z.null(),
  resize: z.null(),
  get_output: wireOutputSliceSchema,
  answer_request: z.null(),
  cancel: z.null(),
  reset: z.null(),
  assign_workspace: sessionInfoSchema,
  terminate: z.null(),
  get_session: sessionInfoSchema.nullable(),
  list_sessions: z.array(sessionInfoSchema),
  get_turn: turnInfoSchema.nullable(),
  list_requests: z.array(openRequestSchema),
} as const satisfies Record<CommandBody['kind'], z.ZodType>;

/** The answer to a command of that kind, parsed. */
export type CommandAnswer<Kind extends CommandBody['kind']> = z.output<(typeof commandAnswerSchemas)[Kind]>;

/** A piece of output in the shape it travels in. */
export function outputSliceToWire(slice: OutputSlice): WireOutputSlice {
  if (slice.as === 'screen') return { ...slice, lines: [...slice.lines] };
  if (slice.as === 'text') return slice;
  const { bytes, ...rest } = slice;
  return { ...rest, base64: bytesToBase64(bytes) };
}

/** The piece of output a {@link WireOutputSlice} stands for. */
export function outputSliceFromWire(wire: WireOutputSlice): OutputSlice {
  if (wire.as !== 'raw') return wire;
  const { base64, ...rest } = wire;
  return { ...rest, bytes: base64ToBytes(base64) };
}
