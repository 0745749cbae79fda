import { agentProfileSchema, roleOf, type ResolvedAgentProfile } from '../crew/agent-profile.ts';
import { SemoError } from '../errors.ts';
import { parseEdge } from '../parse-edge.ts';
import type { JobParts } from './job-parts.ts';
import { planJob, workOf, type JobPlan } from './job-plan.ts';
import type { JobRecord } from './job-record.ts';

/** What a job needs, and the way to give back what was provided for it. */
export interface JobPlace {
  readonly plan: JobPlan;
  leave(): Promise<void>;
}

/**
 * Finds out what a job needs: whose it is, and where it is done.
 * @throws SemoError `unknown_agent`, `invalid_argument`, and what the office's own services throw.
 */
export async function findJobPlace(parts: JobParts, spec: JobRecord['spec']): Promise<JobPlace> {
  const profile = await findProfile(parts, spec.agentId);
  const wanted = profile === null ? null : workOf(spec, profile);
  const { worktrees } = parts;
  if (profile === null || wanted === null || worktrees === null) return placeOf(planJob(spec, profile));
  const { repoId, base, branch } = wanted;
  const request = { jobId: spec.jobId, agentId: profile.agentId, role: roleOf(profile), repoId, base, branch };
  const workspace = await worktrees.provide(request);
  return placeOf(planJob(spec, profile, workspace), () => worktrees.release(request, workspace));
}

async function findProfile({ agents }: JobParts, agentId: string | undefined): Promise<ResolvedAgentProfile | null> {
  if (agentId === undefined) return null;
  const profile = await agents.find(agentId);
  if (profile !== null) return parseEdge(agentProfileSchema, profile, { what: 'agent profile' });
  const known = (await agents.list()).map((each) => each.agentId).join(', ') || 'none';
  throw new SemoError('unknown_agent', `This office has no agent ${JSON.stringify(agentId)}. It has: ${known}.`);
}

function placeOf(plan: JobPlan, leave: () => Promise<void> = async () => undefined): JobPlace {
  return { plan, leave };
}
