import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { personaSchema } from '../persona/persona.ts';
import { saidFields } from '../said-fields.ts';
import { sessionSpecSchema } from '../session/session.ts';
import { promptOptionsSchema } from '../session/turn.ts';

/** Where the work of a job goes, in the repository its agent works in. */
const jobBranchSchema = z.strictObject({
  /** Default `agent/{role}/{taskId}`. */
  branch: z.string().min(1).max(255).optional(),
  /** Where that branch begins. Default: as the agent's profile says, else `HEAD`. */
  base: z.string().min(1).max(1024).optional(),
  /** Names the folder, `agent/{role}/{taskId}`. Default: the job's id. */
  taskId: idSchema.optional(),
});

/** What a job may say differently from its agent's persona, as far as that persona allows it. */
const { prompt, scopePatterns, coreSkills } = personaSchema.shape;
const personaOverrideSchema = z.strictObject(saidFields({ prompt, scopePatterns, coreSkills }));

const jobFields = z.strictObject({
  /** Default: a new id. */
  jobId: idSchema.optional(),
  /** What to say to the agent. */
  prompt: z.string(),
  /** The member of the crew that does it; the office's agent service knows what session that needs. */
  agentId: z.string().min(1).max(200).optional(),
  /** The session the job needs, where no member of the crew is named; its id is made unless given. */
  session: sessionSpecSchema.extend({ sessionId: idSchema.optional() }).optional(),
  /** With `agentId`: the branch to work on. */
  work: jobBranchSchema.optional(),
  /** With `agentId`: what this job says differently from the persona. */
  persona: personaOverrideSchema.optional(),
  /** Facts the agent is told with the prompt, by name. Default none. */
  context: z.record(z.string().min(1).max(200), z.string().max(100_000)).default({}),
  /** How the prompt is to be run; what is not said is as the agent's profile says, else the default. */
  options: z.object(saidFields(promptOptionsSchema.shape)).optional(),
  /** Higher comes first. Default 0. */
  priority: z.number().int().min(-1000).max(1000).default(0),
  /** It is `timed_out` this long after it was submitted, waiting and every attempt included. Default: never. */
  deadlineMs: z
    .number()
    .int()
    .positive()
    .max(366 * 24 * 3_600_000)
    .optional(),
});

const ofOneKind = (job: { agentId?: unknown; session?: unknown; work?: unknown; persona?: unknown }): boolean =>
  job.agentId === undefined
    ? job.session !== undefined && job.work === undefined && job.persona === undefined
    : job.session === undefined;

/** What an agent is to do, and with what: either `agentId` names a member of the crew, or `session` says everything. */
export const jobSpecSchema = jobFields.refine(
  ofOneKind,
  'A job names its agent ("agentId", with "work" and "persona"), or the session it needs ("session"): one of the two.',
);

/** See {@link jobSpecSchema}. */
export type JobSpec = z.input<typeof jobSpecSchema>;
/** {@link JobSpec} with defaults filled in. */
export type ResolvedJobSpec = z.output<typeof jobSpecSchema>;

/** A job as it is kept: the same, with its id. */
export const keptJobSpecSchema = jobFields.required({ jobId: true }).refine(ofOneKind);

/** See {@link keptJobSpecSchema}. */
export type KeptJobSpec = z.input<typeof keptJobSpecSchema>;
