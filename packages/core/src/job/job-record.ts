import { z } from 'zod';

import { turnErrorSchema } from '../monitor/evidence.ts';
import { turnUsageSchema } from '../monitor/usage.ts';
import { idSchema } from '../ids.ts';
import { outcomeSchema } from '../session/turn.ts';
import { keptJobSpecSchema } from './job.ts';
import { attemptReasonSchema, jobResultSchema } from './run-line.ts';

/** Epoch milliseconds. */
const at = z.number();

/**
 * How far the prompt of an attempt has come, as the office knows it. `opening`: its session is being made, nothing is sent;
 * `intent`: it may be sent from now on; `accepted`: the agent has it; `ended`: its verdict is known. What lies between
 * `intent` and `accepted`, the host and the agent's transcript know.
 */
const attemptDeliverySchema = z.enum(['opening', 'intent', 'accepted', 'ended']);

/** One attempt as it is kept, also while it runs. */
export const attemptRecordSchema = z.object({
  /** From 0. */
  number: z.number().int().nonnegative(),
  reason: attemptReasonSchema,
  /** Empty: it never got one. */
  sessionId: z.string(),
  /** Made before the prompt is sent, so that sending it again is sending it once. */
  turnId: idSchema,
  delivery: attemptDeliverySchema,
  /** The agent's own id of the conversation, to go on with it; `null` as long as none is known. */
  conversationId: z.string().nullable(),
  startedAt: at,
  endedAt: at.nullable(),
  outcome: outcomeSchema.nullable(),
  error: turnErrorSchema.nullable(),
  /** Tokens and cost, where the agent has told them. */
  usage: turnUsageSchema.optional(),
});

/** See {@link attemptRecordSchema}. */
export type AttemptRecord = z.infer<typeof attemptRecordSchema>;

/** Who may work on a job. Every claim has a higher `fence` than the one before: what an older one writes is refused. */
const jobLeaseSchema = z.object({ owner: idSchema, fence: z.number().int().positive(), expiresAt: at });

/** See {@link jobLeaseSchema}. */
export type JobLease = z.infer<typeof jobLeaseSchema>;

/** Where a job stands. `ended` is final, until somebody asks for it to be done again. */
export const jobStateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('queued') }),
  z.object({ kind: z.literal('running'), since: at }),
  z.object({ kind: z.literal('ended'), at, result: jobResultSchema }),
]);

/** See {@link jobStateSchema}. */
export type JobState = z.infer<typeof jobStateSchema>;

/** How a job that has ended is taken up again: from the beginning, or where its conversation stopped. */
export const reopeningSchema = z.enum(['retry', 'resume']);

/** See {@link reopeningSchema}. */
export type Reopening = z.infer<typeof reopeningSchema>;

/** A job as it is kept: what is to be done, how far it is, and who is at it. */
export const jobRecordSchema = z.object({
  jobId: idSchema,
  spec: keptJobSpecSchema,
  state: jobStateSchema,
  /** Higher comes first. */
  priority: z.number().int(),
  submittedAt: at,
  /** When it must have ended; `null`: no such moment. */
  deadlineAt: at.nullable(),
  lease: jobLeaseSchema.nullable(),
  /** The highest fence there has been; 0: nobody has claimed it yet. */
  fence: z.number().int().nonnegative(),
  /** Somebody wants it to end. */
  cancelRequested: z.boolean(),
  /** All attempts, also of before it was reopened; the last one may still run. */
  attempts: z.array(attemptRecordSchema),
  /** How it was taken up again, until that attempt begins; else `null`. */
  reopened: reopeningSchema.nullable(),
  /** The last progress its agent told, in percent. */
  percent: z.number().nullable(),
  /** How often it has ended: with the job's id it names one end, also when it was done again since. */
  endings: z.number().int().nonnegative(),
  /** Whether its last end has been told to the office's own job service. */
  reported: z.boolean(),
});

/** See {@link jobRecordSchema}. */
export type JobRecord = z.infer<typeof jobRecordSchema>;

/** What whoever holds a job's lease may write about it. */
export const jobChangeSchema = z.discriminatedUnion('kind', [
  /** It is being worked on. */
  z.object({ kind: z.literal('started') }),
  /** An attempt begins or has come further; the same `number` again replaces it. */
  z.object({ kind: z.literal('attempt'), attempt: attemptRecordSchema }),
  z.object({ kind: z.literal('progress'), percent: z.number().min(0).max(100) }),
  /** It is over; the lease is given up. */
  z.object({ kind: z.literal('ended'), result: jobResultSchema }),
  /** It is given back, as it is: somebody else may claim it now. */
  z.object({ kind: z.literal('released') }),
]);

/** See {@link jobChangeSchema}. */
export type JobChange = z.infer<typeof jobChangeSchema>;
