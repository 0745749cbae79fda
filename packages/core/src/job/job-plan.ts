import { roleOf, type ResolvedAgentProfile } from '../crew/agent-profile.ts';
import { SemoError } from '../errors.ts';
import type { Persona } from '../persona/persona.ts';
import type { SessionTemplate } from '../pool/pool.ts';
import type { AgentSpec } from '../session/session.ts';
import type { PromptOptions } from '../session/turn.ts';
import type { Assignment, Workspace } from '../session/workspace.ts';
import type { KeptJobSpec, ResolvedJobSpec } from './job.ts';

/** What a job needs of the pool and of its session. */
export interface JobPlan {
  readonly role: string;
  /** What a session for this job alone is made from. */
  readonly template: SessionTemplate;
  /** Where a session that was there before is sent; absent: it stays where it is. */
  readonly assignment?: Assignment | undefined;
  /** The id the caller wants its session to have. */
  readonly sessionId?: string | undefined;
  readonly options: PromptOptions;
}

type KeptSpec = ResolvedJobSpec & { readonly jobId: string };

/**
 * What a job needs, from what it says and whom it names. Pure.
 *
 * @param place - Where the work goes, if the office has a worktree service of its own.
 * @throws SemoError `invalid_argument`: the persona does not allow what the job says differently; `context` for a shell.
 */
export function planJob(job: KeptSpec, profile: ResolvedAgentProfile | null, place?: Workspace): JobPlan {
  const plan = planFor(job, profile, place);
  if (plan.template.agent.kind === 'shell' && Object.keys(job.context).length > 0)
    throw new SemoError('invalid_argument', 'A shell would run its context. Set variables in its environment instead.');
  return plan;
}

function planFor(job: KeptSpec, profile: ResolvedAgentProfile | null, place?: Workspace): JobPlan {
  if (profile !== null) return planForAgent(job, profile, place);
  const { session } = job;
  if (session === undefined) throw new SemoError('invalid_argument', 'The job names neither an agent nor a session.');
  const { sessionId, ...template } = session;
  const role = session.persona?.role ?? session.agentId ?? 'agent';
  return { role, template, sessionId, options: job.options ?? {} };
}

/** The session a warm one of that agent is started as, before its job is known. */
export function warmTemplate(profile: ResolvedAgentProfile): SessionTemplate {
  const { workspace } = profile;
  if (workspace.kind === 'path') return template(profile, workspace, profile.persona);
  const { repoId, base } = workspace;
  return template(profile, { kind: 'slot', repoId, base, role: roleOf(profile) }, profile.persona);
}

/** Where the work of an agent's job goes, unless it is one folder for all. */
export function workOf(
  { jobId, work }: Pick<KeptJobSpec, 'jobId' | 'work'>,
  profile: ResolvedAgentProfile,
): (Assignment & { readonly repoId: string; readonly base: string }) | null {
  const { workspace } = profile;
  if (workspace.kind === 'path') return null;
  const role = roleOf(profile);
  const taskId = work?.taskId ?? jobId;
  const branch = work?.branch ?? `agent/${role}/${taskId}`;
  const { repoId, retain } = workspace;
  return { repoId, branch, base: work?.base ?? workspace.base, role, taskId, retain };
}

function planForAgent(job: KeptSpec, profile: ResolvedAgentProfile, place: Workspace | undefined): JobPlan {
  const role = roleOf(profile);
  const options = { ...profile.options, ...job.options };
  const persona = overridden(profile.persona, job.persona);
  const work = workOf(job, profile);
  if (place !== undefined) return { role, options, template: template(profile, place, persona) };
  if (work === null || profile.workspace.kind === 'path')
    return { role, options, template: template(profile, profile.workspace as Workspace, persona) };
  const { repoId, ...assignment } = work;
  return { role, options, assignment, template: template(profile, { kind: 'git', repoId, ...assignment }, persona) };
}

function template(profile: ResolvedAgentProfile, workspace: Workspace, persona: Persona | undefined): SessionTemplate {
  const { role: _role, options: _options, agent, persona: _persona, ...rest } = profile;
  return {
    ...withoutGaps(rest),
    agent: rememberingAgent(agent),
    workspace,
    ...(persona === undefined ? {} : { persona }),
  };
}

/** Without what is not given: left out and given as undefined are not the same in a specification. */
function withoutGaps<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}

/** Conversations of a crew are kept, so that a job can be gone on with after a crash, and by hand. */
function rememberingAgent(agent: AgentSpec): AgentSpec {
  return agent.kind === 'claude' || agent.kind === 'claude-stream' ? { ...agent, keepConversation: true } : agent;
}

function overridden(persona: ResolvedAgentProfile['persona'], said: KeptSpec['persona']): Persona | undefined {
  if (said === undefined) return persona;
  const allowed: readonly string[] = persona?.overridable ?? [];
  const refused = Object.keys(said).filter((name) => !allowed.includes(name));
  if (persona === undefined || refused.length > 0) {
    const what = refused.join(', ') || 'anything';
    throw new SemoError(
      'invalid_argument',
      `The agent's persona does not let a job change ${what}; see its "overridable".`,
    );
  }
  return { ...persona, ...said };
}

/** The template of a session that goes on where another one stopped: same folder, same conversation where there is one. */
export function continuing(from: SessionTemplate, conversationId: string | null): SessionTemplate {
  const { workspace, agent } = from;
  const place = workspace.kind === 'git' ? { ...workspace, takeUp: true } : workspace;
  const resumes = conversationId !== null && (agent.kind === 'claude' || agent.kind === 'claude-stream');
  return { ...from, workspace: place, agent: resumes ? { ...agent, resume: conversationId } : agent };
}
