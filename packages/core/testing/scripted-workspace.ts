import { SemoError } from '../src/errors.ts';
import type { ResolvedSessionSpec } from '../src/session/session.ts';
import type { ResolvedAssignment, WorkspaceInfo } from '../src/session/workspace.ts';

/** The workspace of a scripted session: it answers as one on disk would, and no folder is touched. */
export class ScriptedWorkspace {
  readonly #spec: ResolvedSessionSpec;
  #assigned: ResolvedAssignment | null = null;
  #isDirty = false;
  #hasEnded = false;

  constructor(spec: ResolvedSessionSpec) {
    this.#spec = spec;
  }

  info(): WorkspaceInfo {
    const { workspace } = this.#spec;
    if (workspace.kind === 'path') return { kind: 'path', path: workspace.path };
    return {
      ...this.#worktree(),
      repoId: workspace.repoId,
      ...(this.#hasEnded ? { kept: this.#isDirty ? { reason: 'It has 1 uncommitted change.' } : null } : {}),
    };
  }

  /** There is work now that is not committed. */
  dirty(): void {
    this.#isDirty = true;
  }

  end(): void {
    this.#hasEnded = true;
  }

  mustBeSlot(): void {
    if (this.#spec.workspace.kind === 'slot') return;
    throw new SemoError('not_supported', 'Only a session in a slot can be given a job. Create one with a slot.');
  }

  assign(assignment: ResolvedAssignment): void {
    if (JSON.stringify(assignment) === JSON.stringify(this.#assigned)) return;
    if (this.#isDirty) {
      const { path } = this.#worktree();
      const reason = 'It has 1 uncommitted change.';
      throw new SemoError('workspace_dirty', `The slot ${path} cannot be given another job. ${reason}`, {
        details: { path, reason, kind: 'changes' },
      });
    }
    this.#assigned = assignment;
  }

  #worktree(): WorkspaceInfo {
    const { workspace, sessionId } = this.#spec;
    if (workspace.kind === 'git') {
      return { kind: 'git', path: `/scripted/${workspace.branch}`, branch: workspace.branch };
    }
    const path = `/scripted/slot/${sessionId}`;
    if (this.#assigned === null) return { kind: 'git', path };
    const { branch, role = 'agent', taskId = sessionId } = this.#assigned;
    return { kind: 'git', path, branch, link: `/scripted/agent/${role}/${taskId}` };
  }
}
