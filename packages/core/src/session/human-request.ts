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
