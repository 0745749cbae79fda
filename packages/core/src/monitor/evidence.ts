import { z } from 'zod';

import { ERROR_CLASSES, ERROR_CODES, type ErrorCode } from '../errors.ts';
import { milestoneSchema } from './milestone.ts';
import { turnUsageSchema } from './usage.ts';

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

/**
 * What ended a turn: a source of evidence, a milestone that the caller said completes it (`milestone`), or we did (`cancel`,
 * `timeout`, `needs_input`, `output_limit`), or we lost sight of it (`lost`).
 */
export const deciderSchema = z.enum([
  ...DECIDERS,
  'milestone',
  'cancel',
  'timeout',
  'needs_input',
  'output_limit',
  'lost',
]);

/** See {@link deciderSchema}. */
export type Decider = z.infer<typeof deciderSchema>;

const errorCodeSchema = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

/** Why a turn did not complete. */
export const turnErrorSchema = z.object({
  code: errorCodeSchema,
  class: z.enum(ERROR_CLASSES),
  message: z.string(),
  retryable: z.boolean(),
  /** From when on trying again makes sense, in epoch milliseconds, where that was stated: when a limit resets. */
  retryAt: z.number().optional(),
  /** Of class `rate_limit`: too much at once (`rate`), or all that was paid for in some hours or days (`quota`). */
  limit: z.enum(['rate', 'quota']).optional(),
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
    /** What the turn has used since its agent last told of an end; absent where the agent does not tell. */
    usage: turnUsageSchema.optional(),
  }),
  /**
   * The agent has been at work on the prompt and has been at rest since, as is seen from outside, and told no end of its own.
   * It counts once the agent's own word is lost.
   */
  z.object({
    kind: z.literal('at_rest'),
    at,
    source: z.enum(['status_file', 'title']),
    /** The agent's last message, where it could be found. */
    text: z.string(),
    error: turnErrorSchema.optional(),
  }),
  z.object({ kind: z.literal('exit'), at, code: z.number().int().nullable(), signal: z.string().nullable() }),
  /** A shell's own mark that the command is over, with its exit status. */
  z.object({
    kind: z.literal('shell_mark'),
    at,
    code: z.number().int(),
    offset: z.number().int().nonnegative().optional(),
  }),
  /** Our nonce, printed by the agent. */
  z.object({ kind: z.literal('screen_marker'), at, offset: z.number().int().nonnegative() }),
  z.object({ kind: z.literal('waiting'), at, for: z.enum(['permission', 'question']), requestId: z.string() }),
  z.object({ kind: z.literal('answered'), at, requestId: z.string() }),
  z.object({ kind: z.literal('milestone'), at, milestone: milestoneSchema }),
  /**
   * An error that the agent or a tool of it told of, or a tool that we kept from running: never the end of a turn, which
   * may well get over it.
   */
  z.object({
    kind: z.literal('trouble'),
    at,
    class: z.enum(ERROR_CLASSES),
    /** The line that told of it, cut to 300 characters. */
    text: z.string(),
    by: z.enum(['agent', 'tool', 'guard']),
    /** Its place in the output, where known. */
    offset: z.number().int().nonnegative().optional(),
  }),
  /** The agent went on by itself, without a prompt: a background task of its had ended. */
  z.object({ kind: z.literal('self_started'), at, reason: z.enum(['task_notification']).optional() }),
  z.object({ kind: z.literal('progress'), at, percent: z.number().min(0).max(100) }),
  /** A request to the agent's model failed; the agent will repeat it. */
  z.object({
    kind: z.literal('retrying'),
    at,
    /** Which attempt failed, from 1. */
    attempt: z.number().int().nonnegative(),
    delayMs: z.number().nonnegative(),
    /** The HTTP status, if there was an answer. */
    status: z.number().int().nullable(),
  }),
  /** We told the agent to stop. */
  z.object({
    kind: z.literal('stopped'),
    at,
    by: z.enum(['cancel', 'timeout', 'needs_input', 'session_timeout', 'output_limit']),
  }),
  /** A source can tell nothing any more; without `source`, none can. The turn goes on while one is left. */
  z.object({ kind: z.literal('lost'), at, error: turnErrorSchema, source: z.enum(DECIDERS).optional() }),
  /** Time passed. */
  z.object({ kind: z.literal('tick'), at }),
]);

/** See {@link evidenceSchema}. */
export type Evidence = z.infer<typeof evidenceSchema>;
