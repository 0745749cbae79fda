import {
  SemoError,
  type Clock,
  type ContainmentReport,
  type PersonaPlacement,
  type ResolvedAssignment,
  type ResolvedSessionSpec,
  type SessionInfo,
} from '@semo-office/core';

import type { LiveSession } from './live-session.ts';
import type { ProcessIdentity } from './process/process-table.ts';
import type { ProcessTree } from './process/process-tree.ts';
import type { SessionWorkspace } from './session-workspace.ts';
import type { UndoList } from './undo-list.ts';

/** Time between asking an agent to leave, SIGTERM, and SIGKILL. */
const DEFAULT_GRACE_MS = 5000;
/** What an agent that left by itself has left behind gets less. */
const REMAINS_GRACE_MS = 1000;
/** A killed process whose terminal never tells of its end. */
const EXIT_TOLD_WITHIN_MS = 2000;

/** All that belongs to one session on this host. */
export interface HostedSessionOptions {
  readonly spec: ResolvedSessionSpec;
  readonly live: LiveSession;
  readonly tree: ProcessTree;
  /** The agent's process; `null` if it was gone before it could be looked at. */
  readonly root: ProcessIdentity | null;
  /** Takes folders, persona, worktree and hooks away again. */
  readonly undo: UndoList;
  readonly version: string | null;
  readonly workspace: SessionWorkspace;
  readonly persona: PersonaPlacement | null;
  /** Makes sure that git does not see the persona on another branch. */
  readonly hidePersona: () => Promise<void>;
  readonly containment: ContainmentReport;
  readonly clock: Clock;
}

/** A session with everything it has on this machine: it knows how to end without leaving anything. */
export class HostedSession {
  readonly live: LiveSession;
  readonly root: ProcessIdentity | null;
  readonly #options: HostedSessionOptions;
  readonly #createdAt: number;
  #ending: Promise<void> | null = null;

  constructor(options: HostedSessionOptions) {
    this.#options = options;
    this.live = options.live;
    this.root = options.root;
    this.#createdAt = options.clock.now();
    // An agent that leaves by itself may leave others behind.
    void this.live.exited.then(() => this.end({ graceMs: REMAINS_GRACE_MS }));
  }

  /** Ends the agent and all it started, then takes its folders away. Twice is once. */
  end({ graceMs = DEFAULT_GRACE_MS }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#ending ??= this.#end(graceMs);
    return this.#ending;
  }

  /** Gives the slot its job. @throws SemoError as `SessionManager.assign` says. */
  async assign(assignment: ResolvedAssignment): Promise<SessionInfo> {
    const { spec, workspace, hidePersona } = this.#options;
    this.live.assertAlive();
    if (spec.workspace.kind !== 'slot') {
      throw new SemoError(
        'not_supported',
        'Only a session whose workspace is a slot can be given a job. This one has its folder already.',
      );
    }
    await this.live.between(async () => {
      await workspace.assign(assignment);
      await hidePersona();
    });
    return this.info();
  }

  /** The numbers of its processes, as far as they are known just now. */
  get pids(): number[] {
    return this.#options.tree.pids;
  }

  info(): SessionInfo {
    const { spec, version, persona, containment } = this.#options;
    const workspace = this.#options.workspace.info();
    const { live } = this;
    const { conversationId } = live;
    const { start, end } = live.output.log;
    return {
      sessionId: spec.sessionId,
      ...(spec.agentId === undefined ? {} : { agentId: spec.agentId }),
      worktreeId: workspace.branch ?? null,
      terminalId: live.exit === null ? String(live.pid) : null,
      status: live.status,
      agent: { kind: spec.agent.kind, version, ...(conversationId === null ? {} : { conversationId }) },
      workspace,
      persona,
      containment,
      turnId: live.turnId,
      createdAt: this.#createdAt,
      lastActivityAt: live.lastActivityAt,
      output: { start, end },
      exit: live.exit,
    };
  }

  async #end(graceMs: number): Promise<void> {
    const { tree, undo, clock, live } = this.#options;
    await tree.stop({ graceMs, askNicely: () => live.leave() });
    const untold = Promise.withResolvers<{ code: null; signal: 'SIGKILL' }>();
    const cancel = clock.schedule(EXIT_TOLD_WITHIN_MS, () => untold.resolve({ code: null, signal: 'SIGKILL' }));
    const exit = await Promise.race([live.exited, untold.promise]);
    cancel();
    await undo.run();
    live.finish(exit);
  }
}
