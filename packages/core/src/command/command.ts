import { z } from 'zod';

import { ERROR_CLASSES, ERROR_CODES, SemoError, type ErrorCode } from '../errors.ts';
import { idSchema } from '../ids.ts';
import { answererSchema, humanAnswerSchema } from '../session/human-request.ts';
import { keySchema } from '../session/keys.ts';
import { outputRangeSchema, terminalSizeSchema } from '../session/output.ts';
import { sessionSpecSchema, sessionStatusSchema } from '../session/session.ts';
import { promptOptionsSchema } from '../session/turn.ts';
import { assignmentSchema } from '../session/workspace.ts';

const sessionId = idSchema;

/** What an office asks a host to do. Plain JSON, parsed on arrival. */
export const commandBodySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('create_session'), sessionId, spec: sessionSpecSchema }),
  z.object({
    kind: z.literal('send_prompt'),
    sessionId,
    turnId: idSchema,
    prompt: z.string(),
    options: promptOptionsSchema,
  }),
  z.object({ kind: z.literal('send_text'), sessionId, text: z.string() }),
  z.object({ kind: z.literal('send_keystrokes'), sessionId, keys: z.array(keySchema) }),
  z.object({ kind: z.literal('resize'), sessionId, size: terminalSizeSchema }),
  z.object({ kind: z.literal('get_output'), sessionId, range: outputRangeSchema }),
  z.object({
    kind: z.literal('answer_request'),
    requestId: idSchema,
    answer: humanAnswerSchema,
    by: answererSchema.optional(),
  }),
  z.object({ kind: z.literal('cancel'), sessionId }),
  z.object({ kind: z.literal('reset'), sessionId }),
  z.object({ kind: z.literal('assign_workspace'), sessionId, assignment: assignmentSchema }),
  z.object({ kind: z.literal('terminate'), sessionId, graceMs: z.number().int().nonnegative().optional() }),
  z.object({ kind: z.literal('get_session'), sessionId }),
  z.object({ kind: z.literal('list_sessions'), status: z.array(sessionStatusSchema).optional() }),
  z.object({ kind: z.literal('get_turn'), sessionId, turnId: idSchema }),
  z.object({ kind: z.literal('list_requests'), sessionId: idSchema.optional() }),
]);

/** See {@link commandBodySchema}. */
export type CommandBody = z.input<typeof commandBodySchema>;
/** A command after parsing, defaults filled in. */
export type ParsedCommandBody = z.output<typeof commandBodySchema>;

/** A command with its id. The same id is carried out once, however often it arrives. */
export const commandSchema = z.object({
  commandId: idSchema,
  body: commandBodySchema,
  requeued: z.number().int().nonnegative().optional(),
});

/** See {@link commandSchema}. */
export interface Command {
  readonly commandId: string;
  readonly body: CommandBody;
  /**
   * How often somebody has had it handed out again, since nobody knew what came of it: each time it is carried out once more,
   * whatever is remembered of the times before. Default 0.
   */
  readonly requeued?: number | undefined;
}

/**
 * The two lanes of a session. `turn` keeps its order; `control` overtakes it, so that a long turn never blocks its own
 * cancel.
 */
export type Lane = 'turn' | 'control';

/**
 * The lane a command goes by. Typing goes by `control`: a prompt that waits for a running turn must not hold back the
 * keys that turn may be waiting for.
 */
export function laneOf(body: Pick<CommandBody, 'kind'>): Lane {
  switch (body.kind) {
    case 'create_session':
    case 'send_prompt':
    case 'reset':
    case 'assign_workspace':
      return 'turn';
    default:
      return 'control';
  }
}

const errorCodes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];

/** An error as it travels: the sentence and the facts, without stack or cause. */
export const wireErrorSchema = z.object({
  code: z.enum(errorCodes),
  class: z.enum(ERROR_CLASSES),
  message: z.string(),
  retryable: z.boolean(),
  /** Epoch milliseconds, of the clock of the host. */
  retryAt: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** See {@link wireErrorSchema}. */
export type WireError = z.infer<typeof wireErrorSchema>;

/** What became of a command. `result` has the shape the command's kind calls for. */
export const commandResultSchema = z.discriminatedUnion('success', [
  z.object({ success: z.literal(true), result: z.unknown() }),
  z.object({ success: z.literal(false), error: wireErrorSchema }),
]);

/** See {@link commandResultSchema}. */
export type CommandResult = z.infer<typeof commandResultSchema>;

/** An error in the shape it travels in. */
export function errorToWire(thrown: unknown): WireError {
  const { code, class: errorClass, message, retryable, retryAt, details } = SemoError.from(thrown);
  const when = retryAt === undefined ? {} : { retryAt };
  return { code, class: errorClass, message, retryable, ...when, details: { ...details } };
}

/** The error a {@link WireError} stands for. */
export function errorFromWire(wire: WireError): SemoError {
  return new SemoError(wire.code, wire.message, wire);
}
