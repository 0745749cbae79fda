import { z } from 'zod';

import { SemoError } from '../errors.ts';
import { parseEdge } from '../parse-edge.ts';
import { personaSchema } from '../persona/persona.ts';
import { saidFields } from '../said-fields.ts';
import { sessionSpecSchema } from '../session/session.ts';
import { promptOptionsSchema } from '../session/turn.ts';

/** Where a member of the crew works: always in one folder, or for each job on a branch of its own. */
const crewWorkspaceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('path'), path: z.string().min(1).max(4096) }),
  z.strictObject({
    kind: z.literal('git'),
    /** A repository the host was configured with. */
    repoId: z.string().min(1).max(4096),
    /** Where branches of jobs begin. Default `HEAD`. */
    base: z.string().min(1).max(1024).default('HEAD'),
    /** See `retain` of a session's workspace. Default `dirty`. */
    retain: z.enum(['dirty', 'changed']).default('dirty'),
  }),
]);

const { agent, environment, home, maxOutputBytes, size, containment, limits, terminal } = sessionSpecSchema.shape;

/** A member of the crew: who it is, and what session its jobs need. */
export const agentProfileSchema = z.strictObject({
  /** What jobs name it by, for example `FE`. */
  agentId: z.string().min(1).max(200),
  /** Default: its persona's role, else its id with anything but letters, digits, "-" and "_" as "-". */
  role: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
    .optional(),
  agent,
  workspace: crewWorkspaceSchema,
  persona: personaSchema.optional(),
  environment: environment.optional(),
  home: home.optional(),
  size: size.optional(),
  maxOutputBytes: maxOutputBytes.optional(),
  containment: containment.optional(),
  limits: limits.optional(),
  terminal: terminal.optional(),
  /** How prompts to it are run, where a job says nothing else. */
  options: z.object(saidFields(promptOptionsSchema.shape)).optional(),
});

/** See {@link agentProfileSchema}. */
export type AgentProfile = z.input<typeof agentProfileSchema>;
/** {@link AgentProfile} with defaults filled in. */
export type ResolvedAgentProfile = z.output<typeof agentProfileSchema>;

/** The office's own knowledge of its agents: who there is, and what each needs. */
export interface AgentService {
  /** `null`: there is nobody of that id. */
  find(agentId: string): Promise<AgentProfile | null>;
  list(): Promise<readonly AgentProfile[]>;
}

/**
 * An agent service over a fixed list.
 *
 * @throws SemoError `invalid_argument`: one that is no profile, or two of the same id.
 * @example
 * ```ts
 * const agents = fixedCrew([{ agentId: 'FE', agent: { kind: 'claude' }, workspace: { kind: 'git', repoId: 'app' } }]);
 * ```
 */
export function fixedCrew(profiles: readonly AgentProfile[]): AgentService {
  for (const profile of profiles) parseEdge(agentProfileSchema, profile, { what: 'agent profile' });
  const byId = new Map(profiles.map((profile) => [profile.agentId, profile]));
  if (byId.size !== profiles.length)
    throw new SemoError('invalid_argument', 'Two agents have the same agentId. Give each one of its own.');
  return { find: async (agentId) => byId.get(agentId) ?? null, list: async () => [...byId.values()] };
}

/** The role a member of the crew has in folder names and in the pool. */
export function roleOf({ role, persona, agentId }: Pick<ResolvedAgentProfile, 'role' | 'persona' | 'agentId'>): string {
  const folderName = agentId
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, 64);
  return role ?? persona?.role ?? (folderName === '' ? 'agent' : folderName);
}
