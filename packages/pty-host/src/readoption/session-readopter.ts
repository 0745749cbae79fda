import { realpath } from 'node:fs/promises';
import { SemoError, type PersonaInjector, type ResolvedSessionSpec, type TranscriptFinding } from '@semo-office/core';

import type { AgentDriver, Launch } from '../agent/agent-driver.ts';
import { AgentProcess } from '../containment/agent-process.ts';
import { exitOfInside } from '../containment/shielded-command.ts';
import type { LeftTerminal } from '../host-terminals.ts';
import { HostedSession } from '../hosted-session.ts';
import { LiveSession } from '../live-session.ts';
import type { LiveSessionOptions } from '../live-session-options.ts';
import { takeUpPersona } from '../persona/session-persona.ts';
import { isAlive } from '../process/process-table.ts';
import type { JournaledSession, SessionJournal } from '../process/session-journal.ts';
import type { SessionRecord } from '../process/session-record.ts';
import { systemProcessTable as table } from '../process/system-process-table.ts';
import type { HostMemory } from '../recovery/host-memory.ts';
import { SessionFacts } from '../recovery/session-facts.ts';
import { processTree, type LaunchParts } from '../session-launch.ts';
import { SessionWorkspace } from '../session-workspace.ts';
import { UndoList } from '../undo-list.ts';
import type { WorkspaceResolver } from '../workspace/workspace-resolver.ts';
import type { WorktreeKeeper } from '../workspace/worktree-keeper.ts';
import { findLeftTurns, type LeftTurns } from './left-turns.ts';
import { startedWith } from './left-environment.ts';
import { SessionNotes, readNotes, type Notes } from './session-notes.ts';

/** What a {@link SessionReadopter} works with. */
export interface SessionReadopterOptions extends Omit<LaunchParts, 'facts'> {
  readonly drivers: ReadonlyMap<string, AgentDriver>;
  readonly workspaces: WorkspaceResolver;
  readonly keeper: WorktreeKeeper;
  readonly personas: PersonaInjector;
  readonly memory: HostMemory;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}

/** A session whose host is dead, with what is known of it. */
interface Left {
  readonly record: SessionRecord;
  readonly notes: Notes;
  readonly spec: ResolvedSessionSpec;
  readonly driver: AgentDriver;
  /** The whole environment of the agent. */
  readonly env: Readonly<Record<string, string>>;
  readonly terminal: LeftTerminal;
}

/** Takes sessions whose terminals have outlived their host back into service. */
export class SessionReadopter {
  readonly #options: SessionReadopterOptions;

  constructor(options: SessionReadopterOptions) {
    this.#options = options;
  }

  /**
   * Goes on with a session. What has been done here is undone when it cannot be gone on with; its agent is as it was.
   * @throws SemoError that says why in a sentence.
   */
  async takeUp(record: SessionRecord, journal: SessionJournal): Promise<HostedSession> {
    const left = await this.#find(record, journal);
    const place = await journal.takeOver(record, { privateHome: left.spec.home === 'private' });
    const taken = new UndoList();
    try {
      return await this.#goOn(left, place, taken);
    } catch (thrown) {
      await taken.run();
      throw thrown;
    }
  }

  /** Looks whether all is there that is needed. Nothing is changed by it. */
  async #find(record: SessionRecord, journal: SessionJournal): Promise<Left> {
    const { drivers, terminals } = this.#options;
    const { root, terminal } = record;
    const notes = await readNotes(await realpath(journal.folderOf(record.sessionId)));
    const driver = drivers.get(notes.session.spec.agent.kind);
    if (driver?.takeUp === undefined) throw refusal(OTHER_KIND);
    if (!terminals.usesTmux(notes.session.spec)) throw refusal('This host was not told to use tmux.');
    const found = terminal === null ? null : await terminals.find(notes.session.spec, terminal);
    if (root === null || found === null || found.pid !== root.pid || !isAlive(table, root))
      throw refusal('Its terminal is gone, or its agent.');
    const env = startedWith(table.environment(root.pid));
    if (env === null) throw refusal('This system does not show what its agent was started with.');
    const { pass, set: names } = notes.session.spec.environment;
    const set = Object.fromEntries(names.map((name) => [name, env[name] ?? '']));
    const spec = { ...notes.session.spec, environment: { pass, set } };
    return { record, notes, spec, driver, env, terminal: found };
  }

  async #goOn(left: Left, place: JournaledSession, taken: UndoList): Promise<HostedSession> {
    const { memory, workspaces: resolver, keeper, personas, clock, hostId } = this.#options;
    const { notes, spec, terminal, record } = left;
    const { session } = notes;
    const known = await memory.facts.store.getSession(spec.sessionId);
    if (known === null || known.endedAt !== null) throw refusal('Nothing more is known of it.');
    const turns = await findLeftTurns(memory, notes, { sessionId: spec.sessionId, outputStart: terminal.output.start });
    const workspace = new SessionWorkspace({ spec, resolver, keeper, place });
    const folder = workspace.takeUp(session.workspace.info, session.workspace.assigned).info.path;
    const launch = await this.#launch(left, { place, folder, conversationId: known.conversationId });
    taken.add(() => launch.dispose());
    const undo = undoOf({ place, workspace, launch });
    const persona = takeUpPersona(session.persona, { personas, spec, folder, undo, configHome: launch.configHome });
    undo.add(() => terminal.remove());
    const facts = new SessionFacts(memory.facts, { spec, transcripts: launch.transcripts ?? null });
    facts.takenUp(known);
    const keptNotes = new SessionNotes(place.folder, notes);
    const live = this.#live(left, { folder, launch, facts, notes: keptNotes, turns });
    taken.add(async () => {
      terminal.detach();
      live.abandon();
    });
    const tree = processTree({ spec, place, brand: record.brand, ownFolders: record.ownFolders, clock });
    taken.add(async () => tree.unwatch());
    tree.adopt(record.detached);
    const root = tree.track(live.pid);
    await this.#settle(turns, await live.takeUp());
    return new HostedSession({
      spec,
      live,
      tree,
      agent: new AgentProcess({ table, rootPid: live.pid, pidInside: session.pidInside }),
      root,
      terminal,
      undo,
      facts,
      launch,
      workspace,
      persona: persona.placement,
      onSwitched: async () => void (await Promise.all([persona.hide(), launch.recheck?.()])),
      containment: session.containment,
      clock,
      hostId,
      notes: keptNotes,
      note: null,
      createdAt: session.createdAt,
    });
  }

  async #launch(
    { notes: { session }, spec, driver, env }: Left,
    { place, ...where }: { place: JournaledSession; folder: string; conversationId: string | null },
  ): Promise<Launch> {
    const launch = await driver.takeUp?.({
      ...where,
      spec,
      folders: { config: place.configFolder, tmp: place.temporaryFolder },
      baseEnv: env,
      hostEnv: this.#options.hostEnv,
      keepsake: session.driver,
      version: session.version,
    });
    if (launch === undefined) throw refusal(OTHER_KIND);
    return launch;
  }

  #live(
    { notes: { session }, spec, terminal }: Left,
    parts: Pick<LiveSessionOptions, 'folder' | 'launch' | 'facts' | 'notes'> & { readonly turns: LeftTurns },
  ): LiveSession {
    const { pidInside, createdAt } = session;
    const start = { command: [], pidInside, readExit: pidInside === 'same' ? same : exitOfInside };
    const { size, output, open } = terminal;
    const left = { createdAt, size, output, ...parts.turns };
    return new LiveSession({ ...this.#options, ...parts, spec, start, open, left });
  }

  /** What is known of turns that do not go on is decided as if the session had ended. */
  async #settle({ running, waiting }: LeftTurns, finding: TranscriptFinding | null): Promise<void> {
    const { memory } = this.#options;
    for (const turn of waiting) await memory.settleTurn(turn, { kind: 'unreadable' });
    if (running !== null && finding !== null) await memory.settleTurn(running, finding);
  }
}

/** As when it was opened: last done, first undone. */
function undoOf({
  place,
  workspace,
  launch,
}: {
  readonly place: JournaledSession;
  readonly workspace: SessionWorkspace;
  readonly launch: Launch;
}): UndoList {
  const undo = new UndoList();
  undo.add(() => place.release());
  undo.add(() => workspace.leave());
  undo.add(() => launch.dispose());
  return undo;
}

const OTHER_KIND = 'An agent of its kind cannot be gone on with.';

function same<Exit>(exit: Exit): Exit {
  return exit;
}

function refusal(why: string): SemoError {
  return new SemoError('not_supported', why);
}
