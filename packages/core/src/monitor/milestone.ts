import { z } from 'zod';

const at = { offset: z.number().int().nonnegative().optional() };

/** Something that happened during a turn and is worth telling, but does not end it by itself. `offset` is its place in the output. */
export const milestoneSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pull_request'), number: z.number().int().positive(), url: z.string().optional(), ...at }),
  z.object({ kind: z.literal('commit'), hash: z.string(), branch: z.string().optional(), ...at }),
  z.object({ kind: z.literal('tests_passed'), passed: z.number().int().nonnegative().optional(), ...at }),
  z.object({ kind: z.literal('build_completed'), ...at }),
  /** A pattern of the caller's; `text` is the line it was found in. */
  z.object({ kind: z.literal('custom'), name: z.string(), text: z.string(), ...at }),
]);

/** See {@link milestoneSchema}. */
export type Milestone = z.infer<typeof milestoneSchema>;

/** What kinds of milestone there are. */
export const milestoneKindSchema = z.enum(['pull_request', 'commit', 'tests_passed', 'build_completed', 'custom']);

/** See {@link milestoneKindSchema}. */
export type MilestoneKind = z.infer<typeof milestoneKindSchema>;

/**
 * A milestone of the caller's own: a line of what the agent says or its tools print that the pattern is found in. Patterns
 * are data, and run in linear time: one with a look-around or a back-reference is refused as `invalid_argument`.
 */
export const milestonePatternSchema = z.strictObject({
  name: z.string().min(1).max(100),
  /** As in `new RegExp(source, flags)`. */
  source: z.string().min(1).max(1000),
  /** Any of `i`, `s` and `u`. Default none. */
  flags: z
    .string()
    .regex(/^(?!.*(.).*\1)[isu]*$/, 'Flags are any of i, s and u, each once.')
    .default(''),
});

/** See {@link milestonePatternSchema}. */
export type MilestonePattern = z.output<typeof milestonePatternSchema>;

/** A compiled {@link MilestonePattern}: whoever compiles it answers for its running in linear time. */
export interface LinePattern {
  readonly name: string;
  isIn(line: string): boolean;
}

/** The shortest hash git prints; two of the same commit agree at least so far. */
const SHORT_HASH = 7;

/** Whether two milestones tell of the same thing: a tool printed it and the agent repeated it, or a screen was painted again. */
export function isSameMilestone(one: Milestone, other: Milestone): boolean {
  if (one.kind === 'commit' && other.kind === 'commit')
    return one.hash.slice(0, SHORT_HASH) === other.hash.slice(0, SHORT_HASH);
  if (one.kind === 'pull_request' && other.kind === 'pull_request')
    return one.number === other.number && (one.url === undefined || other.url === undefined || one.url === other.url);
  if (one.kind === 'tests_passed' && other.kind === 'tests_passed')
    return one.passed === undefined || other.passed === undefined || one.passed === other.passed;
  if (one.kind === 'custom' && other.kind === 'custom') return one.name === other.name && one.text === other.text;
  return one.kind === other.kind;
}
