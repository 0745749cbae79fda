import type { ResolvedAssignment, ResolvedSessionSpec, WorkspaceInfo } from '@semo-office/core';

import type { JournaledSession } from './process/session-journal.ts';
import { terminatedError } from './terminated-error.ts';
import type { MadeWorktree } from './workspace/made-worktree.ts';
import type { ResolvedWorkspace, WorkspaceRequest, WorkspaceResolver } from './workspace/workspace-resolver.ts';
import type { WorktreeKeeper } from './workspace/worktree-keeper.ts';

/** What a {@link SessionWorkspace} is made of. */
export interface SessionWorkspaceOptions {
  readonly spec: ResolvedSessionSpec;
  readonly resolver: WorkspaceResolver;
  readonly keeper: WorktreeKeeper;
  readonly place: JournaledSession;
}

/** The folder of one session, from its making to what became of it. What is made is on disk before it is made. */
export class SessionWorkspace {
  readonly #options: SessionWorkspaceOptions;
  #resolved: ResolvedWorkspace | null = null;
  /** As written down: it may be about to be made. */
  #worktree: MadeWorktree | null = null;
  #assigned: ResolvedAssignment | null = null;
  #kept: { readonly reason: string } | null = null;
  #hasEnded = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: SessionWorkspaceOptions) {
    this.#options = options;
  }

  /** Finds the folder or makes the worktree. @throws SemoError as `WorkspaceResolver.resolve` says. */
  async open(): Promise<ResolvedWorkspace> {
    this.#resolved = await this.#options.resolver.resolve(this.#request());
    return this.#resolved;
  }

  /** It was opened by another host. */
  takeUp(info: WorkspaceInfo, assigned: ResolvedAssignment | null): ResolvedWorkspace {
    this.#worktree = this.#options.place.record.worktree;
    this.#resolved = { info, worktree: this.#worktree };
    this.#assigned = assigned;
    return this.#resolved;
  }

  /** The job it has, if it is a slot that has one. */
  get assigned(): ResolvedAssignment | null {
    return this.#assigned;
  }

  info(): WorkspaceInfo {
    const { info, worktree } = this.#must();
    return this.#hasEnded && worktree !== null ? { ...info, kept: this.#kept } : info;
  }

  /**
   * Gives the slot its job; the same one again changes nothing.
   * @throws SemoError as `WorkspaceResolver.assign` says, `session_terminated`.
   */
  assign(assignment: ResolvedAssignment): Promise<void> {
    return this.#oneByOne(async () => {
      if (this.#hasEnded) throw terminatedError(this.#options.spec.sessionId);
      if (JSON.stringify(assignment) === JSON.stringify(this.#assigned)) return;
      this.#resolved = await this.#options.resolver.assign(this.#must(), { ...this.#request(), assignment });
      this.#assigned = assignment;
    });
  }

  /** Takes the worktree away, or remembers why it was kept. */
  leave(): Promise<void> {
    return this.#oneByOne(async () => {
      this.#hasEnded = true;
      const { keeper, spec } = this.#options;
      if (this.#worktree === null) return;
      const removal = await keeper.leave(this.#worktree, { sessionId: spec.sessionId });
      this.#kept = removal.kind === 'kept' ? { reason: removal.reason } : null;
    });
  }

  #request(): WorkspaceRequest {
    const { spec, place } = this.#options;
    return {
      workspace: spec.workspace,
      sessionId: spec.sessionId,
      role: spec.persona?.role ?? spec.agentId,
      announce: async (worktree) => {
        this.#worktree = worktree;
        await place.update({ worktree });
      },
    };
  }

  /** A session may end while it is being assigned. */
  #oneByOne(task: () => Promise<void>): Promise<void> {
    const done = this.#work.then(task);
    this.#work = done.catch(() => undefined);
    return done;
  }

  #must(): ResolvedWorkspace {
    if (this.#resolved === null) throw new Error('The workspace has not been opened.');
    return this.#resolved;
  }
}
