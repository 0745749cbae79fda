import {
  keptSpec,
  type Clock,
  type ContainmentReport,
  type PersonaPlacement,
  type ResolvedSessionSpec,
  type SessionEventName,
  type SessionEvents,
} from '@semo-office/core';

import type { DriverReport, Launch } from './agent/agent-driver.ts';
import { AgentProcess } from './containment/agent-process.ts';
import type { ContainmentChoice } from './containment/containment-choice.ts';
import type { HostContainment } from './containment/host-containment.ts';
import type { HostTerminals } from './host-terminals.ts';
import { HostedSession, type HostedSessionOptions } from './hosted-session.ts';
import { LiveSession } from './live-session.ts';
import type { WrittenPersona } from './persona/session-persona.ts';
import { brandedCommand, type ProcessBrand } from './process/process-brand.ts';
import { ProcessTree } from './process/process-tree.ts';
import type { JournaledSession } from './process/session-journal.ts';
import { systemProcessTable } from './process/system-process-table.ts';
import { SessionNotes, type SessionNote } from './readoption/session-notes.ts';
import { SessionFacts, type FactsOptions } from './recovery/session-facts.ts';
import type { HumanRequests } from './requests/human-requests.ts';
import type { SessionWorkspace } from './session-workspace.ts';
import type { UndoList } from './undo-list.ts';
import type { ResolvedWorkspace } from './workspace/workspace-resolver.ts';

/** What agents are started with. */
export interface LaunchParts {
  readonly requests: HumanRequests;
  readonly containment: HostContainment;
  /** What sessions and their prompts are written down with. */
  readonly facts: FactsOptions;
  readonly terminals: HostTerminals;
  readonly clock: Clock;
  /** The name of this host, where it was given one. */
  readonly hostId: string | undefined;
  readonly emit: <Name extends SessionEventName>(name: Name, event: SessionEvents[Name]) => void;
  readonly isHeard: () => boolean;
  /** Hears what drivers report. Default: nobody. */
  readonly onReport?: ((sessionId: string, report: DriverReport) => void) | undefined;
}

/** A session that is ready to be started. */
export interface PreparedSession {
  readonly spec: ResolvedSessionSpec;
  readonly choice: ContainmentChoice;
  readonly place: JournaledSession;
  readonly undo: UndoList;
  readonly launch: Launch;
  readonly workspace: SessionWorkspace;
  readonly resolved: ResolvedWorkspace;
  readonly persona: WrittenPersona;
  readonly brand: ProcessBrand | null;
}

/** Starts the agent: contained and branded, in a terminal or on pipes, with somebody who knows all it starts. */
export async function launchSession(parts: LaunchParts, prepared: PreparedSession): Promise<HostedSession> {
  const { spec, choice, place, undo, launch, workspace, resolved, persona, brand } = prepared;
  const { containment, clock, hostId } = parts;
  const { worktree } = resolved;
  const ownFolders = [place.folder, ...(worktree === null || worktree.reused ? [] : [worktree.path])];
  await place.update({ brand: brand?.softLimit ?? null, ownFolders });
  const facts = new SessionFacts(parts.facts, { spec, transcripts: launch.transcripts ?? null });
  const folder = resolved.info.path;
  const contained = await containment.start({ choice, spec, launch, folder, place });
  undo.add(() => containment.ended(choice, spec.sessionId));
  const start = { ...contained, command: brandedCommand(brand, contained.command) };
  const { command } = start;
  const terminal = await parts.terminals.prepare({ spec, launch, command, cwd: folder, place, undo });
  // A container is its own command's to end, and nobody but its host knows how.
  const canBeLeft = terminal.outlivesHost && launch.keepsake !== undefined && start.pidInside !== null;
  const notes = canBeLeft ? new SessionNotes(place.folder) : null;
  const live = new LiveSession({ ...parts, spec, launch, folder, start, facts, notes, open: terminal.open });
  const tree = processTree({ spec, place, brand: brand?.softLimit ?? null, ownFolders, clock });
  // From here on there is somebody to end, whatever fails.
  const root = tree.track(live.pid);
  const { placement } = persona;
  const held = { branded: brand !== null, ownFolders: ownFolders.length > 1, scope: scopeOf(spec, launch) };
  const report = containment.report(choice, spec, held);
  return new HostedSession({
    spec,
    live,
    tree,
    agent: new AgentProcess({ table: systemProcessTable, rootPid: live.pid, pidInside: start.pidInside }),
    root,
    terminal,
    undo,
    facts,
    launch,
    workspace,
    persona: placement,
    onSwitched: async () => void (await Promise.all([persona.hide(), launch.recheck?.()])),
    containment: report,
    clock,
    hostId,
    notes,
    note: start.pidInside === null ? null : noteOf({ spec, launch, pidInside: start.pidInside, report, placement }),
  });
}

function noteOf({
  spec,
  launch,
  pidInside,
  report,
  placement,
}: Pick<PreparedSession, 'spec' | 'launch'> & {
  readonly pidInside: SessionNote['pidInside'];
  readonly report: ContainmentReport;
  readonly placement: PersonaPlacement | null;
}): HostedSessionOptions['note'] {
  const { version, keepsake } = launch;
  return { spec: keptSpec(spec), version, driver: keepsake, pidInside, containment: report, persona: placement };
}

/** Knows all that an agent starts, and writes down what leaves its session. */
export function processTree({
  spec,
  place,
  brand,
  ownFolders,
  clock,
}: Pick<PreparedSession, 'spec' | 'place'> & {
  readonly brand: number | null;
  readonly ownFolders: readonly string[];
  readonly clock: Clock;
}): ProcessTree {
  return new ProcessTree({
    sessionId: spec.sessionId,
    brand,
    ownFolders,
    clock,
    onDetached: (processes) => {
      place.update({ detached: [...place.record.detached, ...processes] }).catch(() => undefined);
    },
  });
}

function scopeOf({ persona }: ResolvedSessionSpec, { keepsScope }: Launch): 'none' | 'guarded' | 'told' {
  if ((persona?.scopePatterns ?? []).length === 0) return 'none';
  return keepsScope === true ? 'guarded' : 'told';
}
