import pRetry from 'p-retry';

import { agentProfileSchema, roleOf, type ResolvedAgentProfile } from '../crew/agent-profile.ts';
import { SemoError, isSemoError } from '../errors.ts';
import { parseEdge } from '../parse-edge.ts';
import type { JobWait } from './attempt-gate.ts';
import type { JobParts } from './job-parts.ts';
import { planJob, workOf, type JobPlan } from './job-plan.ts';
import type { JobRecord } from './job-record.ts';

/** How often a service that fails is asked again who an agent is. */
const MAX_ASKED_AGAIN = 3;

/** What a job needs, and the way to give back what was provided for it. */
export interface JobPlace {
  readonly plan: JobPlan;
  leave(): Promise<void>;
}

/** What finding a job's place is told, and tells. */
interface PlaceCall {
  /** Aborted: it is not asked again. */
  readonly signal: AbortSignal | undefined;
  readonly onWait: (wait: JobWait) => void;
}

/**
 * Finds out what a job needs: whose it is, and where it is done.
 * @throws SemoError `unknown_agent`, `invalid_argument`, and what the office's own services throw.
 */
export async function findJobPlace(parts: JobParts, spec: JobRecord['spec'], call: PlaceCall): Promise<JobPlace> {
  const profile = await findProfile(parts, spec.agentId, call);
  const wanted = profile === null ? null : workOf(spec, profile);
  const { worktrees } = parts;
  if (profile === null || wanted === null || worktrees === null) return placeOf(planJob(spec, profile));
  const { repoId, base, branch } = wanted;
  const request = { jobId: spec.jobId, agentId: profile.agentId, role: roleOf(profile), repoId, base, branch };
  const workspace = await worktrees.provide(request);
  return placeOf(planJob(spec, profile, workspace), () => worktrees.release(request, workspace));
}

async function findProfile(
  parts: JobParts,
  agentId: string | undefined,
  call: PlaceCall,
): Promise<ResolvedAgentProfile | null> {
  if (agentId === undefined) return null;
  const { agents } = parts;
  const profile = await askPatiently(parts, () => agents.find(agentId), call);
  if (profile !== null) return parseEdge(agentProfileSchema, profile, { what: 'agent profile' });
  const known = (await agents.list()).map((each) => each.agentId).join(', ') || 'none';
  throw new SemoError('unknown_agent', `This office has no agent ${JSON.stringify(agentId)}. It has: ${known}.`);
}

/** Asks again, after a pause, where that can help: what has failed once is not how the job ends. */
function askPatiently<Answer>(
  { backoff: { firstMs, longestMs } }: JobParts,
  ask: () => Promise<Answer>,
  { signal, onWait }: PlaceCall,
): Promise<Answer> {
  const asked = async (): Promise<Answer> => {
    try {
      return await ask();
    } catch (thrown) {
      throw SemoError.from(thrown);
    }
  };
  return pRetry(asked, {
    retries: MAX_ASKED_AGAIN,
    minTimeout: firstMs,
    maxTimeout: longestMs,
    randomize: true,
    signal,
    // An error of no code of ours may pass: nobody has said that it does not.
    shouldRetry: ({ error }) => isSemoError(error) && (error.retryable || error.code === 'internal'),
    onFailedAttempt: ({ retriesLeft }) => {
      if (retriesLeft > 0) onWait({ for: 'backoff', untilAt: null });
    },
  });
}

function placeOf(plan: JobPlan, leave: () => Promise<void> = async () => undefined): JobPlace {
  return { plan, leave };
}
