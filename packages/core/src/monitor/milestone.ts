import { z } from 'zod';

const at = { offset: z.number().int().nonnegative().optional() };

/** Something that happened during a turn and is worth telling, but does not end it by itself. `offset` is its place in the output. */
export const milestoneSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pull_request'), number: z.number().int().positive(), url: z.string().optional(), ...at }),
  z.object({ kind: z.literal('commit'), hash: z.string(), branch: z.string().optional(), ...at }),
  z.object({ kind: z.literal('tests_passed'), passed: z.number().int().nonnegative().optional(), ...at }),
  z.object({ kind: z.literal('build_completed'), ...at }),
]);

/** See {@link milestoneSchema}. */
export type Milestone = z.infer<typeof milestoneSchema>;
