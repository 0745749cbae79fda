import { commandResultSchema, wireErrorSchema, type CommandResult } from '@semo-office/core';
import { z } from 'zod';

const count = z.number().int().nonnegative();

const commandStatusSchema = z.enum(['pending', 'processing', 'completed', 'failed', 'dead']);

/** How far a command has come. */
export type CommandStatus = z.output<typeof commandStatusSchema>;

/** What a host is handed out. The payload is parsed by whoever carries it out. */
export const claimedRowSchema = z.object({
  command_id: z.string(),
  session_id: z.string().nullable(),
  kind: z.string(),
  lane: z.enum(['turn', 'control']),
  seq: count,
  payload: z.unknown(),
  attempts: count,
  requeued: count,
  prior_epoch: count.nullable(),
  turn_delivery: z.enum(['intent', 'submitted', 'accepted', 'ended']).nullable(),
  lease_token: z.string(),
});

/** See {@link claimedRowSchema}. */
export type ClaimedCommand = z.output<typeof claimedRowSchema>;

/** Where an asked command stands. */
export const enqueuedRowSchema = z.object({
  command_id: z.string(),
  session_id: z.string().nullable(),
  host_id: z.string(),
  seq: count,
  status: commandStatusSchema,
});

const answerColumns = {
  command_id: z.string(),
  status: commandStatusSchema,
  success: z.boolean().nullable(),
  result: z.unknown(),
  error: wireErrorSchema.nullable(),
  late: z.boolean().nullable(),
};

/** The answer to a command, once there is one. */
export const answerRowSchema = z.object(answerColumns);

/** All that is known of a command. */
export const commandRowSchema = z.object({
  ...answerColumns,
  session_id: z.string().nullable(),
  host_id: z.string(),
  kind: z.string(),
  attempts: count,
});

/** A command that was given up after it had been handed out. */
export const deadRowSchema = z.object({
  command_id: z.string(),
  session_id: z.string().nullable(),
  host_id: z.string(),
  kind: z.string(),
  attempts: count,
  ended_at: z.string(),
  last_error: wireErrorSchema.nullable(),
});

/** See {@link deadRowSchema}. */
export type DeadRow = z.output<typeof deadRowSchema>;

/** The answer of a row in the shape a command's sender waits for; `null`: there is none yet. */
export function answerOf({ success, result, error }: z.output<typeof answerRowSchema>): CommandResult | null {
  if (success === null) return null;
  return commandResultSchema.parse(success ? { success, result } : { success, error });
}
