import {
  SemoError,
  type Clock,
  type ContainmentReport,
  type PersonaPlacement,
  type ResolvedAssignment,
  type ResolvedSessionSpec,
  type SessionInfo,
} from '@semo-office/core';

import type { AgentProcess } from './containment/agent-process.ts';
import type { Launch } from './agent/agent-driver.ts';
import type { ReadyTerminal } from './host-terminals.ts';
import type { LiveSession } from './live-session.ts';
import type { ProcessIdentity } from './process/process-table.ts';
import type { ProcessTree } from './process/process-tree.ts';
import type { SessionWorkspace } from './session-workspace.ts';
import type { SessionNote, SessionNotes } from './readoption/session-notes.ts';
import type { SessionFacts } from './recovery/session-facts.ts';
import type { UndoList } from './undo-list.ts';

/** Time between asking an agent to leave, SIGTERM, and SIGKILL. */
const DEFAULT_GRACE_MS = 5000;
/** What an agent that left by itself has left behind gets less, and so does one that floods us. */
const REMAINS_GRACE_MS = 1000;
/** A killed process whose terminal never tells of its end. */
const EXIT_TOLD_WITHIN_MS = 2000;

/** All that belongs to one session on this host. */
export interface HostedSessionOptions {
  readonly spec: ResolvedSessionSpec;
  readonly live: LiveSession;
  readonly tree: ProcessTree;
  readonly agent: AgentProcess;
  /** What was started; `null` if it was gone before it could be looked at. */
  readonly root: ProcessIdentity | null;
  readonly terminal: Pick<ReadyTerminal, 'id' | 'attachCommand'>;
  /** Takes folders, persona, worktree and hooks away again. */
  readonly undo: UndoList;
  readonly facts: SessionFacts;
  readonly launch: Pick<Launch, 'version' | 'credentialExpiresAt'>;
  readonly workspace: SessionWorkspace;
  readonly persona: PersonaPlacement | null;
  /** What is to be seen to when the folder holds another branch; what it throws says that the agent is not fit for that. */
  readonly onSwitched: () => Promise<void>;
  readonly containment: ContainmentReport;
  readonly clock: Clock;
  /** The name of this host, where it was given one. */
  readonly hostId: string | undefined;
  /** For a host to come; see `SessionNotes`. */
  readonly notes: SessionNotes | null;
  /** What is noted when it is open; `null`: nothing, or it was opened by another host. */
  readonly note: Omit<SessionNote, 'createdAt' | 'workspace'> | null;
  /** When it was opened, where that was by another host. Default: now. */
  readonly createdAt?: number | undefined;
}

/** A session with everything it has on this machine: it knows how to end without leaving anything. */
export class HostedSession {
  readonly live: LiveSession;
  readonly root: ProcessIdentity | null;
  readonly spec: ResolvedSessionSpec;
  readonly #options: HostedSessionOptions;
  readonly #createdAt: number;
  #ending: Promise<void> | null = null;

  constructor(options: HostedSessionOptions) {
    this.#options = options;
    this.live = options.live;
    this.root = options.root;
    this.spec = options.spec;
    this.#createdAt = options.createdAt ?? options.clock.now();
    // What prints without end is not left to it for long.
    void this.live.limits.ended.then((limit) => this.end(limit === 'max_output' ? { graceMs: REMAINS_GRACE_MS } : {}));
    // An agent that leaves by itself may leave others behind.
    void this.live.exited.then(() => this.end({ graceMs: REMAINS_GRACE_MS }));
  }

  /** Whether another host has opened it. */
  get isTakenUp(): boolean {
    return this.#options.createdAt !== undefined;
  }

  /** The agent can take prompts: from now on the session is known also when this host is gone. */
  async opened(): Promise<void> {
    await this.#options.facts.opened(this.info());
    const { notes, note } = this.#options;
    if (note !== null) await notes?.opened({ ...note, createdAt: this.#createdAt, workspace: this.#noted() });
  }

  /** Ends the agent and all it started, then takes its folders away. Twice is once. */
  end({ graceMs = DEFAULT_GRACE_MS }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    this.#ending ??= this.#end(graceMs);
    return this.#ending;
  }

  /** Gives the slot its job. @throws SemoError as `SessionManager.assign` says. */
  async assign(assignment: ResolvedAssignment): Promise<SessionInfo> {
    const { spec, workspace, onSwitched, notes } = this.#options;
    this.live.assertAlive();
    if (spec.workspace.kind !== 'slot') {
      throw new SemoError(
        'not_supported',
        'Only a session whose workspace is a slot can be given a job. This one has its folder already.',
      );
    }
    await this.live.between(async () => {
      await workspace.assign(assignment);
      await onSwitched();
      await notes?.assigned(this.#noted());
    });
    return this.info();
  }

  /** The numbers of its processes, as far as they are known just now. */
  get pids(): number[] {
    return this.#options.tree.pids;
  }

  info(): SessionInfo {
    const { spec, launch, persona, containment, terminal, hostId } = this.#options;
    const workspace = this.#options.workspace.info();
    const { live } = this;
    const { conversationId } = live;
    const { start, end } = live.output.log;
    const credentialExpiresAt = launch.credentialExpiresAt?.();
    return {
      sessionId: spec.sessionId,
      ...(spec.agentId === undefined ? {} : { agentId: spec.agentId }),
      ...(spec.owner === undefined ? {} : { owner: spec.owner }),
      ...(hostId === undefined ? {} : { hostId }),
      worktreeId: workspace.branch ?? null,
      terminalId: live.exit === null ? (terminal.id ?? String(this.#options.agent.pid)) : null,
      ...(terminal.attachCommand === null || live.exit !== null ? {} : { attachCommand: terminal.attachCommand }),
      status: live.status,
      agent: { kind: spec.agent.kind, version: launch.version, ...(conversationId === null ? {} : { conversationId }) },
      workspace,
      persona,
      containment,
      turnId: live.turnId,
      ...(credentialExpiresAt === undefined ? {} : { credentialExpiresAt }),
      createdAt: this.#createdAt,
      lastActivityAt: live.lastActivityAt,
      output: { start, end },
      ...(live.limits.reached === null ? {} : { endedBy: live.limits.reached }),
      ...(live.hasAnswered ? { hasAnswered: true } : {}),
      exit: live.exit,
    };
  }

  #noted(): SessionNote['workspace'] {
    const { workspace } = this.#options;
    return { info: workspace.info(), assigned: workspace.assigned };
  }

  async #end(graceMs: number): Promise<void> {
    const { tree, undo, facts, clock, live, notes } = this.#options;
    // From here on it is half gone: another host only clears it up.
    await notes?.withdraw().catch(() => undefined);
    await tree.stop({ graceMs, askNicely: () => live.leave() });
    const untold = Promise.withResolvers<{ code: null; signal: 'SIGKILL' }>();
    const cancel = clock.schedule(EXIT_TOLD_WITHIN_MS, () => untold.resolve({ code: null, signal: 'SIGKILL' }));
    const exit = await Promise.race([live.exited, untold.promise]);
    cancel();
    // Before its folder goes, which would tell the next host that there is something to settle.
    await facts.ended({ ...this.info(), exit });
    await undo.run();
    live.finish(exit);
  }
}
