import { z } from 'zod';

import { ERROR_CLASSES, ERROR_CODES, type ErrorCode } from '../errors.ts';
import { milestoneSchema } from './milestone.ts';

/** What can end a turn, strongest first. A turn is decided by the strongest source that is alive. */
export const DECIDERS = [
  'agent_end',
  'exit',
  'shell_mark',
  'final_marker',
  'screen_marker',
  'status_file',
  'title',
  'silence',
] as const;

/** What ended a turn: a source of evidence, or we did (`cancel`, `timeout`, `needs_input`), or we lost sight of it (`lost`). */
export const deciderSchema = z.enum([...DECIDERS, 'cancel', 'timeout', 'needs_input', 'lost']);

/** See {@link deciderSchema}. */
export type Decider = z.infer<typeof deciderSchema>;

const errorCodeSchema = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

/** Why a turn did not complete. */
export const turnErrorSchema = z.object({
  code: errorCodeSchema,
  class: z.enum(ERROR_CLASSES),
  message: z.string(),
  retryable: z.boolean(),
});

/** See {@link turnErrorSchema}. */
export type TurnError = z.infer<typeof turnErrorSchema>;

const at = z.number();

/**
 * One observation about a turn. Drivers make these from what their agent emits; the monitor never learns what agent it was.
 * `at` is epoch milliseconds, host time.
 */
export const evidenceSchema = z.discriminatedUnion('kind', [
  /** The agent has taken the prompt: it will not be sent again. */
  z.object({ kind: z.literal('accepted'), at }),
  /** The agent printed something that is not an echo of the prompt. */
  z.object({ kind: z.literal('activity'), at }),
  /** The agent's own structured end of turn. With background tasks running it is only a pause. */
  z.object({
    kind: z.literal('agent_end'),
    at,
    /** The agent's final message. */
    text: z.string(),
    backgroundTasks: z.number().int().nonnegative(),
    error: turnErrorSchema.optional(),
  }),
  z.object({ kind: z.literal('exit'), at, code: z.number().int().nullable(), signal: z.string().nullable() }),
  /** Our nonce, printed by the agent. */
  z.object({ kind: z.literal('screen_marker'), at, offset: z.number().int().nonnegative() }),
  z.object({ kind: z.literal('waiting'), at, for: z.enum(['permission', 'question']), requestId: z.string() }),
  z.object({ kind: z.literal('answered'), at, requestId: z.string() }),
  z.object({ kind: z.literal('milestone'), at, milestone: milestoneSchema }),
  z.object({ kind: z.literal('progress'), at, percent: z.number().min(0).max(100) }),
  /** We told the agent to stop. */
  z.object({ kind: z.literal('stopped'), at, by: z.enum(['cancel', 'timeout', 'needs_input']) }),
  /** Nobody can tell any more how the turn went on. */
  z.object({ kind: z.literal('lost'), at, error: turnErrorSchema }),
  /** Time passed. */
  z.object({ kind: z.literal('tick'), at }),
]);

/** See {@link evidenceSchema}. */
export type Evidence = z.infer<typeof evidenceSchema>;
