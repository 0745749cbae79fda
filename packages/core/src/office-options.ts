import { z } from 'zod';

import type { AgentService } from './crew/agent-profile.ts';
import type { JobService, WorktreeService } from './crew/job-service.ts';
import { ERROR_CLASSES, ERROR_CODES, SemoError } from './errors.ts';
import { idSchema } from './ids.ts';
import type { JobStore } from './job/job-store.ts';
import { attemptReasonSchema } from './job/run-line.ts';
import type { Notifier } from './notifier.ts';
import { parseEdge } from './parse-edge.ts';
import type { Admission } from './pool/admission.ts';
import { poolSettingsSchema } from './pool/pool-settings.ts';
import { clockSchema, functionSchema, portSchema } from './port-schema.ts';
import type { SessionManager } from './session/session-manager.ts';

const whole = z.number().int().positive();
const wholeOrNone = z.number().int().nonnegative();
const rule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['fail', 'person']) }),
  z.strictObject({ kind: z.literal('again'), times: wholeOrNone, reason: attemptReasonSchema }),
  z.strictObject({ kind: z.enum(['backoff', 'wait', 'queue']), times: wholeOrNone }),
]);
const breaker = z.strictObject({
  failureThreshold: whole.optional(),
  resetTimeout: whole.optional(),
  halfOpenRequests: whole.optional(),
});
const notifier = portSchema<Notifier>('notify');
const agentService = portSchema<AgentService>('find', 'list');
const codes = Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[];

/** What an office is told of requests; its rules are checked where they are compiled. */
const answerers = z.strictObject({
  concerns: functionSchema.optional(),
  rules: z.array(z.unknown()).optional(),
  policy: functionSchema.optional(),
  policyPatienceMs: z.number().nonnegative().optional(),
  notifier: notifier.optional(),
  onFault: functionSchema.optional(),
});

/**
 * All that {@link OfficeOptions} may name. What is a number out of place would hold up every job, or let none rest; what is no
 * port would be found out by the first job that needs it. Profiles of agents are checked where they are read.
 */
export const officeOptionsSchema = z.strictObject({
  sessions: portSchema<SessionManager>(
    ...([
      'create',
      'get',
      'list',
      'sendPrompt',
      'getTurn',
      'waitForTurn',
      'cancel',
      'terminate',
      'on',
      'close',
    ] as const),
  ),
  officeId: idSchema.optional(),
  agents: z
    .custom(
      (value) => Array.isArray(value) || agentService.safeParse(value).success,
      'Invalid input: expected a list of agent profiles, or an object with the methods find, list',
    )
    .optional(),
  warm: z.record(z.string(), wholeOrNone.max(1000)).optional(),
  pool: poolSettingsSchema
    .extend({ admission: portSchema<Admission>('admit').optional(), sizing: functionSchema.optional() })
    .strict()
    .optional(),
  jobs: portSchema<JobStore>(
    ...([
      'put',
      'get',
      'list',
      'claim',
      'renew',
      'change',
      'requestCancel',
      'reopen',
      'markReported',
      'prune',
    ] as const),
  ).optional(),
  jobService: portSchema<JobService>('onJobComplete').optional(),
  reportPatienceMs: whole.optional(),
  worktrees: portSchema<WorktreeService>('provide', 'release').optional(),
  requests: answerers.optional(),
  notifier: notifier.optional(),
  policy: z
    .strictObject({
      classes: z.partialRecord(z.enum(ERROR_CLASSES), rule.optional()).optional(),
      codes: z.partialRecord(z.enum(codes), rule.optional()).optional(),
    })
    .optional(),
  breakers: z.strictObject({ provider: breaker.optional(), host: breaker.optional() }).optional(),
  backoff: z.strictObject({ firstMs: whole.optional(), longestMs: whole.optional() }).optional(),
  hostPatienceMs: wholeOrNone.optional(),
  concurrency: whole.optional(),
  leaseMs: whole.min(100).optional(),
  pollMs: whole.optional(),
  keepEndedMs: wholeOrNone.optional(),
  onFault: functionSchema.optional(),
  clock: clockSchema.optional(),
});

/** What is looked at once each option is known to be sound by itself. */
interface Crew {
  readonly agents?: unknown;
  readonly warm?: Readonly<Record<string, number>> | undefined;
}

/**
 * Looks at the options of an office, before anything is begun; `schema` where an entrance takes more, or others.
 * @throws SemoError `invalid_argument`.
 */
export function checkOfficeOptions(options: unknown, schema: z.ZodType<Crew> = officeOptionsSchema): void {
  const { agents = [], warm = {} } = parseEdge(schema, options, { what: 'office options' });
  // Whom a service of the office's own knows may change.
  if (!Array.isArray(agents)) return;
  const known = new Set(agents.map((profile: unknown) => idOf(profile)));
  const unknown = Object.keys(warm).filter((agentId) => warm[agentId] !== 0 && !known.has(agentId));
  if (unknown.length === 0) return;
  throw new SemoError(
    'invalid_argument',
    `The office options are not valid. warm names ${unknown.join(', ')}, but agents has nobody of that id.`,
  );
}

function idOf(profile: unknown): unknown {
  return typeof profile === 'object' && profile !== null && 'agentId' in profile ? profile.agentId : null;
}
