import { z } from 'zod';

/**
 * How much a session may do before its host ends it, or refuses more. Default: no limit.
 *
 * @example
 * ```ts
 * await sessions.create({ ...spec, limits: { maxTurns: 20, maxWallMs: 3_600_000, maxOutputTotalBytes: 1e9 } });
 * ```
 */
export const sessionLimitsSchema = z.strictObject({
  /** How many prompts it takes; a further one is refused as `session_exhausted`, and the session stays as it is. */
  maxTurns: z.number().int().positive().optional(),
  /** How long it lives from when it was ready, in milliseconds; a turn that runs then is `timed_out`, `session_timed_out`. */
  maxWallMs: z
    .number()
    .int()
    .positive()
    .max(366 * 24 * 3_600_000)
    .optional(),
  /** How much its agent may print in all, in bytes; beyond that the session is ended, its turn `failed`, `output_limit`. */
  maxOutputTotalBytes: z.number().int().positive().optional(),
});

/** See {@link sessionLimitsSchema}. */
export type SessionLimits = z.infer<typeof sessionLimitsSchema>;

/** Which limit ended a session. */
export const sessionLimitSchema = z.enum(['max_wall', 'max_output']);

/** See {@link sessionLimitSchema}. */
export type SessionLimit = z.infer<typeof sessionLimitSchema>;
