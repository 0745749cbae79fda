import { wireErrorSchema } from '@semo-office/core';
import { z } from 'zod';

/** The id under which the answer to the opening of the file comes, unasked. */
export const OPENING = 0;

/** What the thread that uses a store sends to the one that has the file. */
export const storeCallSchema = z.object({ id: z.number().int().positive(), name: z.string(), input: z.unknown() });

/** See {@link storeCallSchema}. */
export type StoreCall = z.output<typeof storeCallSchema>;

/** What comes back. Every call gets one answer; faults come unasked. */
export const storeAnswerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), id: z.number().int(), result: z.unknown() }),
  z.object({ kind: z.literal('refused'), id: z.number().int(), error: wireErrorSchema }),
  z.object({ kind: z.literal('fault'), place: z.string(), message: z.string() }),
]);

/** See {@link storeAnswerSchema}. */
export type StoreAnswer = z.output<typeof storeAnswerSchema>;

/** What the thread that has the file is told when it starts. */
export const storeTaskSchema = z.object({ path: z.string() });
