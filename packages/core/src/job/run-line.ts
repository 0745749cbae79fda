import { z } from 'zod';

import { deciderSchema, evidenceSchema, turnErrorSchema } from '../monitor/evidence.ts';
import { milestoneSchema } from '../monitor/milestone.ts';
import { turnUsageSchema } from '../monitor/usage.ts';
import { sessionStatusSchema } from '../session/session.ts';
import { confidenceSchema, outcomeSchema } from '../session/turn.ts';
import { workspaceInfoSchema } from '../session/workspace.ts';

/** Epoch milliseconds. */
const at = z.number();

/**
 * Why an attempt was made. `first`; after the one before it timed out, crashed, was not delivered, lost its host, or met an
 * overloaded provider, a limit or no room; `conversation_lost`: it was to go on in a conversation that had not been kept; `restart`: the office itself was started again and goes on with it; `by_hand`:
 * somebody asked for the job to be done again.
 */
export const attemptReasonSchema = z.enum([
  'first',
  'timeout',
  'crash',
  'not_delivered',
  'host_lost',
  'overloaded',
  'rate_limit',
  'capacity',
  'conversation_lost',
  'restart',
  'by_hand',
]);

/** See {@link attemptReasonSchema}. */
export type AttemptReason = z.infer<typeof attemptReasonSchema>;

/** One try at a job and what came of it. */
export const attemptSchema = z.object({
  reason: attemptReasonSchema,
  sessionId: z.string(),
  turnId: z.string().nullable(),
  outcome: outcomeSchema,
  startedAt: z.number(),
  endedAt: z.number(),
  error: turnErrorSchema.nullable(),
});

/** See {@link attemptSchema}. */
export type Attempt = z.infer<typeof attemptSchema>;

/** What a job came to. */
export const jobResultSchema = z.object({
  outcome: outcomeSchema,
  confidence: confidenceSchema,
  /** The agent's final message, or what it printed. */
  text: z.string(),
  milestones: z.array(milestoneSchema),
  /** What was observed, in order. */
  evidence: z.array(evidenceSchema),
  attempts: z.array(attemptSchema),
  sessionId: z.string(),
  /** The agent's own id of the conversation, to resume it by where it was kept; `null` where it tells none. */
  conversationId: z.string().nullable(),
  /**
   * Where the agent worked last; `null` if it never got so far. Of a worktree, `kept` says why it is still there, or `null` when
   * it is gone. Without `kept` nobody knows yet: the session goes on (`reuse: 'clear'`), its host is lost, or it took longer
   * than 30 seconds to end; then ask `sessions.get(sessionId)`, and the host's next start.
   */
  workspace: workspaceInfoSchema.nullable(),
  durationMs: z.number(),
  /** Tokens and cost of all attempts, as far as agents have told; `null`: none has. Absent in results kept by older versions. */
  usage: turnUsageSchema.nullable().optional(),
  error: turnErrorSchema.nullable(),
});

/** See {@link jobResultSchema}. */
export type JobResult = z.infer<typeof jobResultSchema>;

/**
 * One line of `semo run --json`. `turn` comes at the moment of the verdict, once for each attempt; `result` is always the
 * last line.
 */
export const runLineSchema = z.union([
  z.intersection(z.object({ type: z.literal('milestone'), at }), milestoneSchema),
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('status'), at, sessionId: z.string(), status: sessionStatusSchema }),
    /** Output as the terminal got it, escape sequences and all; `offset` counts bytes. */
    z.object({ type: z.literal('output'), at, offset: z.number().int().nonnegative(), text: z.string() }),
    z.object({ type: z.literal('progress'), at, percent: z.number() }),
    z.object({
      type: z.literal('request'),
      at,
      requestId: z.string(),
      kind: z.enum(['permission', 'question']),
      tool: z.string().optional(),
      input: z.unknown().optional(),
    }),
    z.object({ type: z.literal('stalled'), at, forMs: z.number() }),
    z.object({
      type: z.literal('turn'),
      at,
      turnId: z.string(),
      outcome: outcomeSchema,
      confidence: confidenceSchema,
      decidedBy: deciderSchema,
    }),
    jobResultSchema.extend({ type: z.literal('result'), at }),
  ]),
]);

/** See {@link runLineSchema}. */
export type RunLine = z.infer<typeof runLineSchema>;
