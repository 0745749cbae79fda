import {
  SemoError,
  systemClock,
  type CallOptions,
  type Clock,
  type PersonaInjector,
  type ResolvedSessionSpec,
} from '@semo-office/core';

import type { AgentDriver, PrivateFolders } from './agent/agent-driver.ts';
import type { ContainmentChoice } from './containment/containment-choice.ts';
import { deadline } from './deadline.ts';
import { agentEnvironment } from './environment.ts';
import type { HostedSession } from './hosted-session.ts';
import { writePersona } from './persona/session-persona.ts';
import { createBrand } from './process/process-brand.ts';
import type { JournaledSession, SessionJournal } from './process/session-journal.ts';
import { systemProcessTable } from './process/system-process-table.ts';
import { launchSession, type LaunchParts } from './session-launch.ts';
import { SessionWorkspace } from './session-workspace.ts';
import { UndoList } from './undo-list.ts';
import type { WorkspaceResolver } from './workspace/workspace-resolver.ts';
import type { WorktreeKeeper } from './workspace/worktree-keeper.ts';

/** An agent that does not get this far never will; a loaded machine takes seconds. */
const START_TIMEOUT_MS = 60_000;

/** What sessions are opened with. */
export interface SessionOpenerOptions extends Omit<LaunchParts, 'clock'> {
  readonly drivers: ReadonlyMap<string, AgentDriver>;
  readonly workspaces: WorkspaceResolver;
  readonly keeper: WorktreeKeeper;
  readonly personas: PersonaInjector;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock | undefined;
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
      const choice = await this.#options.containment.choose(spec);
      const place = await journal.claim(spec.sessionId, { privateHome: spec.home === 'private' });
      undo.add(() => place.release());
      const opening = { spec, driver, choice, place, undo, call };
      hosted = await this.#start(opening);
      await this.#becomeReady(hosted, opening);
      await hosted.opened();
      return hosted;
    } catch (thrown) {
      if (hosted === null) await undo.run();
      else await hosted.end({ graceMs: 0 });
      if (call.signal?.aborted === true)
        throw new SemoError('aborted', 'Creating the session was given up.', { cause: thrown });
      if (hosted?.live.limits.reached === 'max_output') throw tooMuchAtStart(thrown);
      throw SemoError.from(thrown);
    }
  }

  #driver({ agent }: ResolvedSessionSpec): AgentDriver {
    const driver = this.#options.drivers.get(agent.kind);
    if (driver !== undefined) return driver;
    const known = [...this.#options.drivers.keys()].join(', ');
    throw new SemoError('unknown_agent', `This host has no agent ${JSON.stringify(agent.kind)}. It knows: ${known}.`);
  }

  async #start({ spec, driver, choice, place, undo, call }: Opening): Promise<HostedSession> {
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
    const { personas } = this.#options;
    const persona = await writePersona({ personas, spec, folder, place, undo, configHome: launch.configHome });
    call.signal?.throwIfAborted();
    const parts = { ...this.#options, clock: this.#clock };
    const brand = await branding;
    return launchSession(parts, { spec, choice, place, undo, launch, workspace, resolved, persona, brand });
  }

  async #becomeReady({ live, root }: HostedSession, { place, call: { signal } }: Opening): Promise<void> {
    await place.update({ root });
    using limit = deadline(this.#clock, START_TIMEOUT_MS);
    await live.becomeReady(signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]));
  }
}

function tooMuchAtStart(cause: unknown): SemoError {
  const said = 'The agent printed more than its session may before it was ready. Raise limits.maxOutputTotalBytes.';
  return new SemoError('output_limit', said, { cause });
}

/** What the agent's environment is made for, before its driver is asked. */
function channelOf({ agent }: ResolvedSessionSpec): 'terminal' | 'pipe' {
  if (agent.kind === 'claude-stream') return 'pipe';
  return agent.kind === 'command' ? agent.over : 'terminal';
}

function privateFolders({ configFolder, temporaryFolder }: JournaledSession): PrivateFolders {
  return { config: configFolder, tmp: temporaryFolder };
}

interface Opening {
  readonly spec: ResolvedSessionSpec;
  readonly driver: AgentDriver;
  readonly choice: ContainmentChoice;
  readonly place: JournaledSession;
  readonly undo: UndoList;
  readonly call: CallOptions;
}
