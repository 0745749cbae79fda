import { z } from 'zod';

import { idSchema } from '../ids.ts';

/** Something an agent asks of a person: leave to use a tool, or an answer. */
export const humanRequestSchema = z.object({
  requestId: idSchema,
  sessionId: idSchema,
  turnId: idSchema,
  kind: z.enum(['permission', 'question']),
  tool: z.string().optional(),
  input: z.unknown().optional(),
  /** Epoch milliseconds. */
  askedAt: z.number(),
  /** When it expires, in epoch milliseconds. Absent: never. */
  expiresAt: z.number().optional(),
  /** The agent's own id of the conversation it asks in; only where a later session can go on with that. */
  conversationId: z.string().optional(),
});

/** See {@link humanRequestSchema}. */
export type HumanRequest = z.infer<typeof humanRequestSchema>;

/** What a person, a rule or a policy says to a {@link HumanRequest}. */
export const humanAnswerSchema = z.discriminatedUnion('behavior', [
  z.object({ behavior: z.literal('allow'), updatedInput: z.record(z.string(), z.unknown()).optional() }),
  z.object({ behavior: z.literal('deny'), message: z.string().max(10_000).default('Denied.') }),
]);

/** See {@link humanAnswerSchema}. */
export type HumanAnswer = z.input<typeof humanAnswerSchema>;
/** {@link HumanAnswer} with defaults filled in. */
export type ResolvedHumanAnswer = z.output<typeof humanAnswerSchema>;

/** Who answered, in a word or two. */
export const answererSchema = z.string().min(1).max(200);

/** A request that waits, and whom an answer can reach. */
export const openRequestSchema = humanRequestSchema.extend({
  /**
   * - `alive`: its agent waits for the answer.
   * - `resumable`: its session is gone and its conversation is kept. The answer is kept too, for the session that goes on.
   * - `gone`: its session is gone and nothing can go on with it. An answer is recorded and reaches nobody.
   */
  session: z.enum(['alive', 'resumable', 'gone']),
});

/** See {@link openRequestSchema}. */
export type OpenRequest = z.infer<typeof openRequestSchema>;
