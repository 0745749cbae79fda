import { z } from 'zod';

import { idSchema } from '../ids.ts';
import { sessionSpecSchema } from '../session/session.ts';
import { promptOptionsSchema } from '../session/turn.ts';

/** What an agent is to do, and with what. */
export const jobSpecSchema = z.strictObject({
  /** Default: a new id. */
  jobId: idSchema.optional(),
  /** What to say to the agent. */
  prompt: z.string(),
  /** The session the job needs; its id is made unless given. */
  session: sessionSpecSchema.extend({ sessionId: idSchema.optional() }),
  /** How the prompt is to be run. */
  options: promptOptionsSchema.optional(),
});

/** See {@link jobSpecSchema}. */
export type JobSpec = z.input<typeof jobSpecSchema>;
