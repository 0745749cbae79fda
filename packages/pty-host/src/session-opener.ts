import {
  SemoError,
  systemClock,
  type CallOptions,
  type Clock,
  type PersonaInjector,
  type PersonaPlacement,
  type ResolvedSessionSpec,
  type SessionEventName,
  type SessionEvents,
} from '@semo-office/core';

import type { AgentDriver, DriverReport, Launch, PrivateFolders } from './agent/agent-driver.ts';
import { deadline } from './deadline.ts';
import { agentEnvironment } from './environment.ts';
import { HostedSession } from './hosted-session.ts';
import { LiveSession } from './live-session.ts';
import { containmentReport } from './process/containment.ts';
import { brandedCommand, createBrand, type ProcessBrand } from './process/process-brand.ts';
import { ProcessTree } from './process/process-tree.ts';
import type { JournaledSession, SessionJournal } from './process/session-journal.ts';
import { systemProcessTable } from './process/system-process-table.ts';
import type { HumanRequests } from './requests/human-requests.ts';
import { openPipes } from './terminal/pipes.ts';
import { openPty } from './terminal/pty-terminal.ts';
import { SessionWorkspace } from './session-workspace.ts';
import { UndoList } from './undo-list.ts';
import { isIgnored } from './workspace/git-facts.ts';
import type { ResolvedWorkspace, WorkspaceResolver } from './workspace/workspace-resolver.ts';
import type { WorktreeKeeper } from './workspace/worktree-keeper.ts';

/** An agent that does not get this far never will; a loaded machine takes seconds. */
const START_TIMEOUT_MS = 60_000;

/** What sessions are opened with. */
export interface SessionOpenerOptions {
  readonly drivers: ReadonlyMap<string, AgentDriver>;
  readonly workspaces: WorkspaceResolver;
  readonly keeper: WorktreeKeeper;
  readonly personas: PersonaInjector;
  readonly requests: HumanRequests;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock | undefined;
  readonly emit: <Name extends SessionEventName>(name: Name, event: SessionEvents[Name]) => void;
  readonly isHeard: () => boolean;
  /** Hears what drivers report. Default: nobody. */
  readonly onReport?: ((sessionId: string, report: DriverReport) => void) | undefined;
}

/**
 * Takes a session through its opening, in this order: folders, workspace, agent prepared, persona written, agent started,
 * agent ready. What was done is undone when a later step fails.
 */
export class SessionOpener {
  readonly #options: SessionOpenerOptions;
  readonly #clock: Clock;

  constructor(options: SessionOpenerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws SemoError as `SessionManager.create` says. */
  async open(spec: ResolvedSessionSpec, journal: SessionJournal, call: CallOptions = {}): Promise<HostedSession> {
    const driver = this.#driver(spec);
    const undo = new UndoList();
    let hosted: HostedSession | null = null;
    try {
      const place = await journal.claim(spec.sessionId, { privateHome: spec.home === 'private' });
      undo.add(() => place.release());
      const opening = { spec, driver, place, undo, call };
      hosted = await this.#start(opening);
      await this.#becomeReady(hosted, opening);
      return hosted;
    } catch (thrown) {
      if (hosted === null) await undo.run();
      else await hosted.end({ graceMs: 0 });
      if (call.signal?.aborted === true)
        throw new SemoError('aborted', 'Creating the session was given up.', { cause: thrown });
      throw SemoError.from(thrown);
    }
  }

  #driver({ agent }: ResolvedSessionSpec): AgentDriver {
    const driver = this.#options.drivers.get(agent.kind);
    if (driver !== undefined) return driver;
    const known = [...this.#options.drivers.keys()].join(', ');
    throw new SemoError('unknown_agent', `This host has no agent ${JSON.stringify(agent.kind)}. It knows: ${known}.`);
  }

  async #start({ spec, driver, place, undo, call }: Opening): Promise<HostedSession> {
    const { hostEnv } = this.#options;
    const { workspaces: resolver, keeper } = this.#options;
    const workspace = new SessionWorkspace({ spec, resolver, keeper, place });
    undo.add(() => workspace.leave());
    const resolved = await workspace.open();
    const folder = resolved.info.path;
    const over = channelOf(spec);
    const baseEnv = agentEnvironment({ spec, hostEnv, privateHome: place.homeFolder, over });
    // Takes a look at every process; meanwhile the driver waits for programs of its own.
    const branding = createBrand(systemProcessTable, { path: hostEnv['PATH'] });
    branding.catch(() => undefined);
    const launch = await driver.prepare({
      spec,
      folder,
      folders: privateFolders(place),
      baseEnv,
      hostEnv,
      signal: call.signal,
    });
    undo.add(() => launch.dispose());
    const persona = await this.#persona({ spec, folder, place, undo, configHome: launch.configHome });
    call.signal?.throwIfAborted();
    return this.#launch({ spec, place, undo, launch, workspace, resolved, persona, brand: await branding });
  }

  async #persona({
    spec,
    folder,
    configHome,
    place,
    undo,
  }: Pick<Opening, 'spec' | 'place' | 'undo'> & {
    folder: string;
    configHome: string | null;
  }): Promise<WrittenPersona> {
    const { personas } = this.#options;
    const { sessionId, persona } = spec;
    if (persona === undefined) return { placement: null, hide: () => Promise.resolve() };
    await place.update({ personaFolders: [folder] });
    undo.add(() => personas.remove({ folder, sessionId }));
    const write = () => personas.inject({ persona, folder, configHome: configHome ?? undefined, sessionId });
    const placement = await write();
    return {
      placement,
      // Where rules of the repository hid it, another branch may have others.
      hide: async () => {
        if (placement.at === 'worktree' && !(await isIgnored(folder, placement.path))) await write();
      },
    };
  }

  async #launch({
    spec,
    place,
    undo,
    launch,
    workspace,
    resolved,
    persona,
    brand,
  }: Omit<Opening, 'driver' | 'call'> & {
    brand: ProcessBrand | null;
    launch: Launch;
    workspace: SessionWorkspace;
    resolved: ResolvedWorkspace;
    persona: WrittenPersona;
  }): Promise<HostedSession> {
    const { requests, emit, isHeard, onReport } = this.#options;
    const { worktree } = resolved;
    const ownFolders = [place.folder, ...(worktree === null || worktree.reused ? [] : [worktree.path])];
    await place.update({ brand: brand?.softLimit ?? null, ownFolders });
    const live = new LiveSession({
      spec,
      launch,
      folder: resolved.info.path,
      command: brandedCommand(brand, launch.command),
      open: launch.over === 'terminal' ? openPty : openPipes,
      requests,
      clock: this.#clock,
      emit,
      isHeard,
      onReport,
    });
    const tree = this.#tree({ spec, place, brand, ownFolders });
    // From here on there is somebody to end, whatever fails.
    const root = tree.track(live.pid);
    const scope = scopeOf(spec, launch);
    const containment = containmentReport({ branded: brand !== null, ownFolders: ownFolders.length > 1, scope });
    return new HostedSession({
      spec,
      live,
      tree,
      root,
      undo,
      version: launch.version,
      workspace,
      persona: persona.placement,
      hidePersona: persona.hide,
      containment,
      clock: this.#clock,
    });
  }

  #tree({
    spec,
    place,
    brand,
    ownFolders,
  }: Pick<Opening, 'spec' | 'place'> & { brand: ProcessBrand | null; ownFolders: readonly string[] }): ProcessTree {
    return new ProcessTree({
      sessionId: spec.sessionId,
      brand: brand?.softLimit,
      ownFolders,
      clock: this.#clock,
      onDetached: (processes) => {
        place.update({ detached: [...place.record.detached, ...processes] }).catch(() => undefined);
      },
    });
  }

  async #becomeReady({ live, root }: HostedSession, { place, call: { signal } }: Opening): Promise<void> {
    await place.update({ root });
    using limit = deadline(this.#clock, START_TIMEOUT_MS);
    await live.becomeReady(signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]));
  }
}

/** What the agent's environment is made for, before its driver is asked. */
function channelOf({ agent }: ResolvedSessionSpec): 'terminal' | 'pipe' {
  if (agent.kind === 'claude-stream') return 'pipe';
  return agent.kind === 'command' ? agent.over : 'terminal';
}

function scopeOf({ persona }: ResolvedSessionSpec, { keepsScope }: Launch): 'none' | 'guarded' | 'told' {
  if ((persona?.scopePatterns ?? []).length === 0) return 'none';
  return keepsScope === true ? 'guarded' : 'told';
}

function privateFolders({ configFolder, temporaryFolder }: JournaledSession): PrivateFolders {
  return { config: configFolder, tmp: temporaryFolder };
}

interface WrittenPersona {
  readonly placement: PersonaPlacement | null;
  /** Makes sure that git does not see it. */
  readonly hide: () => Promise<void>;
}

interface Opening {
  readonly spec: ResolvedSessionSpec;
  readonly driver: AgentDriver;
  readonly place: JournaledSession;
  readonly undo: UndoList;
  readonly call: CallOptions;
}
