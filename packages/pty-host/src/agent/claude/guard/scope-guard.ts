import { textStart, type HumanAnswer } from '@semo-office/core';
import { z } from 'zod';

import { decideScope, type Scope, type ScopeVerdict } from '../../../persona/scope-decision.ts';
import { findScopePlace } from '../../../persona/scope-place.ts';
import type { AgentIo, LaunchContext } from '../../agent-driver.ts';
import type { HookInput } from '../hooks/hook-listener.ts';

/** The tools of Claude Code that change files by themselves (2.1.329 has the same list; MultiEdit is of older versions). */
export const FILE_TOOLS = ['Write', 'Edit', 'MultiEdit', 'NotebookEdit'] as const;

/** Fields that name the file such a tool changes. */
const fileFieldsSchema = z.looseObject({ file_path: z.unknown().optional(), notebook_path: z.unknown().optional() });

/** As much of a refusal is told. */
const MOST_TROUBLE_TEXT = 300;

/** What a guard is asked before a tool runs. */
export type ToolQuestion = Extract<HookInput, { hook_event_name: 'PreToolUse' }>;

/**
 * Keeps the file tools of Claude Code within a persona's scope, the ones of its subagents too. It is asked by a hook,
 * which holds in every permission mode.
 */
export class ClaudeScopeGuard {
  readonly #scope: Scope;
  #io: Pick<AgentIo, 'report' | 'clock'> | null = null;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** What is refused from now on is evidence of the running turn. */
  follow(io: Pick<AgentIo, 'report' | 'clock'>): void {
    this.#io = io;
  }

  /**
   * The same agent, of which people may let a tool run with another input than it asked for: no hook sees that one. One that
   * is out of scope is refused in their name.
   */
  guardAnswers(io: AgentIo): AgentIo {
    return { ...io, ask: async (request, withdrawn) => this.#checked(request.tool, await io.ask(request, withdrawn)) };
  }

  /** The hook's answer. Nothing said means that the agent's own rules decide. */
  async answer(question: ToolQuestion): Promise<object> {
    const file = fileOf(question);
    const verdict = await this.#judge(file, question.cwd ?? null);
    if (verdict.kind === 'allow') return {};
    return {
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'deny',
        permissionDecisionReason: this.#refuse(question.tool_name, file, verdict.reason),
      },
    };
  }

  /** Tells of the refusal; gives what the model is told. */
  #refuse(tool: string, file: string | null, why: string): string {
    const text = textStart(`${tool} ${file ?? ''} was refused: ${why}`, MOST_TROUBLE_TEXT);
    this.#io?.report({ kind: 'trouble', at: this.#io.clock.now(), class: 'permission', text, by: 'guard' });
    const { root, patterns } = this.#scope;
    return `${why} You may only change files in ${root} that match: ${patterns.join(', ')}`;
  }

  async #checked(tool: string | undefined, answer: HumanAnswer | null): Promise<HumanAnswer | null> {
    if (answer?.behavior !== 'allow' || answer.updatedInput === undefined || !isFileTool(tool)) return answer;
    const file = fileOf({ tool_input: answer.updatedInput });
    // Where the agent stands is not known here, so that a relative path is refused.
    const verdict = await this.#judge(file, null);
    return verdict.kind === 'allow' ? answer : { behavior: 'deny', message: this.#refuse(tool, file, verdict.reason) };
  }

  async #judge(file: string | null, cwd: string | null): Promise<ScopeVerdict> {
    return decideScope(file === null ? null : await findScopePlace(file, cwd), this.#scope);
  }
}

/** The guard of a session whose persona has a scope; `null` for one that may change everything. */
export function scopeGuardOf({ spec, folder }: LaunchContext): ClaudeScopeGuard | null {
  const patterns = spec.persona?.scopePatterns ?? [];
  return patterns.length === 0 ? null : new ClaudeScopeGuard({ root: folder, patterns });
}

/** The file a tool was given. Two different ones are none: it cannot be known which it would change. */
function fileOf({ tool_input: input }: Pick<ToolQuestion, 'tool_input'>): string | null {
  const parsed = fileFieldsSchema.safeParse(input);
  if (!parsed.success) return null;
  const named = [parsed.data.file_path, parsed.data.notebook_path].filter((field) => field !== undefined);
  const [file] = named;
  return named.length === 1 && typeof file === 'string' ? file : null;
}

function isFileTool(tool: string | undefined): tool is (typeof FILE_TOOLS)[number] {
  return FILE_TOOLS.some((name) => name === tool);
}
