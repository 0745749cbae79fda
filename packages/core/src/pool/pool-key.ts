import { createHash } from 'node:crypto';

import { canonicalJson } from '../canonical-json.ts';
import { parseEdge } from '../parse-edge.ts';
import { personaVersion } from '../persona/persona.ts';
import { sessionSpecSchema, type ResolvedSessionSpec } from '../session/session.ts';
import type { SessionTemplate } from './pool.ts';

/** What a template does not tell, and yet makes two sessions differ. */
export interface PoolKeyExtra {
  /** The version of the agent's program: after an update jobs are not given sessions of the old one. */
  readonly agentVersion?: string | undefined;
  /** Which credential is used, by its name, never the secret itself: what one account pays for, no other is given. */
  readonly credentialId?: string | undefined;
}

const templateSchema = sessionSpecSchema.omit({ sessionId: true });

/**
 * Two templates with the same key make sessions that can stand for each other. What a session has from its start, and
 * cannot change, is in it:
 *
 * - the agent with all its options: driver, model, permission mode, login, prompts, a conversation to be resumed;
 * - the folder, or the repository and what its branches start from: the process has its working folder from its start;
 * - the persona's version: it is read when the agent starts;
 * - the names of the variables handed on, and a digest of those set: a process has its environment from its start. The
 *   values themselves are in no key, since keys are shown in status and logs;
 * - the home, how much output is kept, how it is contained, in which terminal, and the limits of its life.
 *
 * Left out is what belongs to one job or can change: branch, task, role of the folder, what keeps the worktree, who the
 * agent is (`agentId`), the terminal's size, whether a screen is rendered. Defaults are filled in first, so leaving an
 * option out and naming its default are the same.
 *
 * @throws SemoError `invalid_argument`, `invalid_persona`.
 * @example
 * ```ts
 * const key = poolKey({ agent: { kind: 'claude' }, workspace: { kind: 'git', repoId: 'shop', branch: 'a' }, persona });
 * ```
 */
export function poolKey(template: SessionTemplate, extra: PoolKeyExtra = {}): string {
  const spec = parseEdge(templateSchema, template, { what: 'session template' });
  const { agent, workspace, persona, environment, home, maxOutputBytes, containment, limits, terminal } = spec;
  return digest({
    agent,
    agentVersion: extra.agentVersion ?? null,
    credentialId: extra.credentialId ?? null,
    place: placeOf(workspace),
    persona: persona === undefined ? null : personaVersion(persona),
    pass: [...new Set(environment.pass)].toSorted(),
    set: digest(environment.set),
    home,
    maxOutputBytes,
    containment: containment ?? null,
    limits: limits ?? null,
    terminal: terminal ?? null,
  });
}

/** A slot and a worktree with a branch are the same place: one is made into the other by `assign`. */
function placeOf(workspace: ResolvedSessionSpec['workspace']): object {
  return 'repoId' in workspace ? { repoId: workspace.repoId, base: workspace.base } : { path: workspace.path };
}

const digest = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
