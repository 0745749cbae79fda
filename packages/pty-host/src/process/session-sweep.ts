import { mkdir, readdir, realpath, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { removeDeadLock, tryFileLock } from '../file-lock.ts';
import type { MadeWorktree, WorktreeRemoval } from '../workspace/made-worktree.ts';
import type { WorktreeReport } from '../workspace/worktree-keeper.ts';
import { discardPrivateFolder, isDiscarded, removeEmptyFolders, removePrivateFolder } from './private-folder.ts';
import { isAlive, type ProcessIdentity, type ProcessTable } from './process-table.ts';
import { ProcessTree } from './process-tree.ts';
import { sessionTag } from './session-evidence.ts';
import { ownerState, readRecord, type SessionRecord, type TerminalRecord } from './session-record.ts';
import { systemProcessTable } from './system-process-table.ts';

/** Options of {@link sweepSessions}. */
export interface SweepOptions {
  readonly stateDir: string;
  /** Takes a session's persona out of a folder. */
  readonly removePersona: (target: { readonly folder: string; readonly sessionId: string }) => Promise<void>;
  readonly removeWorktree: (
    worktree: MadeWorktree,
    session: { readonly sessionId: string },
  ) => Promise<WorktreeRemoval>;
  /**
   * Takes a session back into service whose terminal has outlived its host; what it throws says why that cannot be done.
   * Default: all are cleared up.
   */
  readonly takeUp?: ((record: SessionRecord) => Promise<void>) | undefined;
  /** Awaited before a session's processes are ended, while its agent lives. Default: nothing is waited for. */
  readonly beforeStop?: ((sessionId: string) => Promise<void>) | undefined;
  /** Told of a session whose processes are gone, before its folder is. Default: nobody. */
  readonly settle?:
    | ((session: { readonly sessionId: string; readonly afterReboot: boolean }) => Promise<void>)
    | undefined;
  /** Removes a terminal that has outlived its host, once nothing lives in it. Default: it is left. */
  readonly removeTerminal?: ((terminal: TerminalRecord, sessionId: string) => Promise<void>) | undefined;
  /** How long leftover processes have between SIGTERM and SIGKILL. Default 2 s. */
  readonly graceMs?: number | undefined;
  readonly table?: ProcessTable | undefined;
}

/** One session a dead host has left, and what became of it. */
export interface SweptSession {
  readonly sessionId: string;
  /** Why a session that might have been taken up again was not, in a sentence; `null`: it could not be at all. */
  readonly reason: string | null;
  /** How many processes were ended. */
  readonly killed: number;
  readonly survivors: readonly ProcessIdentity[];
  /** Where its worktree still is, and why; `null` if it is gone or there was none. */
  readonly keptWorktree: { readonly path: string; readonly reason: string } | null;
  /** What went wrong, in sentences; it will be tried again by the next sweep. */
  readonly faults: readonly string[];
}

/** What a sweep found. */
export interface SweepReport {
  readonly swept: readonly SweptSession[];
  /** Sessions whose terminals have outlived their host and that this one goes on with. */
  readonly takenUp: readonly { readonly sessionId: string }[];
  /** Sessions left alone that are no living host's of this machine: what, and why in a sentence. */
  readonly leftAlone: readonly { readonly sessionId: string; readonly reason: string }[];
  /** Worktrees that sessions had left before, looked at again; absent where nobody did. */
  readonly worktrees?: WorktreeReport | undefined;
}

/**
 * Clears up after hosts that died: ends what is left of their sessions' processes, takes personas away, removes clean
 * worktrees and private folders. A living host's sessions are never touched, and two sweeps at once share the work.
 * A record that cannot be read is moved to `<stateDir>/unreadable/` with its folder, unless processes bear its tag.
 *
 * @example
 * ```ts
 * const { swept } = await sweepSessions({ stateDir, removePersona: (target) => personas.remove(target), removeWorktree });
 * ```
 */
export async function sweepSessions(options: SweepOptions): Promise<SweepReport> {
  const { stateDir, table = systemProcessTable } = options;
  const sessions = join(stateDir, 'sessions');
  const swept: SweptSession[] = [];
  const takenUp: { sessionId: string }[] = [];
  const alone: { sessionId: string; reason: string }[] = [];
  const names = await readdir(sessions).catch(() => []);
  for (const name of names) {
    const folder = join(sessions, name);
    try {
      if (name.startsWith('.claim-')) await sweepClaim({ folder, name, table });
      else if (isDiscarded(name)) await removePrivateFolder(folder);
      else if (name.startsWith('.sweep-')) await removeDeadLock(folder, table);
      else {
        const outcome = await sweepFolder({ ...options, table, folder, sessionId: name });
        if (outcome?.kind === 'left_alone') alone.push(outcome.session);
        else if (outcome?.kind === 'taken_up') takenUp.push(outcome.session);
        else if (outcome?.kind === 'swept') swept.push(outcome.session);
      }
    } catch (error) {
      // One folder that cannot be cleared must not keep a host from starting.
      alone.push({ sessionId: name, reason: `It could not be swept: ${messageOf(error)}` });
    }
  }
  if (names.length > 0) await removeEmptyFolders([sessions, stateDir]);
  return { swept, takenUp, leftAlone: alone };
}

type Sweeping = SweepOptions & { readonly table: ProcessTable; readonly folder: string; readonly sessionId: string };

/** What became of a session's folder; `null`: nothing had to. */
type Outcome =
  | { readonly kind: 'swept'; readonly session: SweptSession }
  | { readonly kind: 'taken_up'; readonly session: { readonly sessionId: string } }
  | { readonly kind: 'left_alone'; readonly session: { readonly sessionId: string; readonly reason: string } };

function leftAlone(sessionId: string, reason: string): Outcome {
  return { kind: 'left_alone', session: { sessionId, reason } };
}

async function sweepFolder(sweeping: Sweeping): Promise<Outcome | null> {
  const { stateDir, folder, sessionId, table } = sweeping;
  const record = await readRecord(folder);
  if (record === null || record.sessionId !== sessionId) return setAside(sweeping);
  const state = ownerState(record, table);
  if (state === 'alive') return null;
  if (state === 'elsewhere')
    return leftAlone(
      sessionId,
      `It belongs to a host on ${record.machine.hostname} or in another container, whose processes cannot be seen from here. If that is gone, remove ${folder}.`,
    );
  // Beside the folder: the lock must not be what makes a folder that another sweep has just removed.
  const release = await tryFileLock(join(stateDir, 'sessions', `.sweep-${sessionId}`), { table });
  if (release === null) return null;
  try {
    // Another sweep may have finished, and the id been claimed again, between reading and locking.
    const again = await readRecord(folder);
    if (again === null || ownerState(again, table) === 'alive') return null;
    const reason = state === 'rebooted' ? null : await refusalToTakeUp(sweeping, again);
    if (reason === TAKEN_UP) return { kind: 'taken_up', session: { sessionId } };
    return { kind: 'swept', session: { ...(await sweepSession(sweeping, again, state === 'rebooted')), reason } };
  } finally {
    await release();
  }
}

const TAKEN_UP = Symbol('taken up');

/** Why a session is not gone on with: `null` where that was never asked for. */
async function refusalToTakeUp({ takeUp }: Sweeping, record: SessionRecord): Promise<string | null | typeof TAKEN_UP> {
  if (takeUp === undefined || record.terminal === null) return null;
  return takeUp(record).then(
    () => TAKEN_UP,
    (thrown: unknown) => messageOf(thrown),
  );
}

async function sweepSession(
  sweeping: Sweeping,
  record: SessionRecord,
  rebooted: boolean,
): Promise<Omit<SweptSession, 'reason'>> {
  const { folder, sessionId, table, graceMs = 2000, beforeStop, settle } = sweeping;
  const { removePersona, removeWorktree, removeTerminal } = sweeping;
  const faults: string[] = [];
  const attempt = async <Result>(what: string, action: () => Promise<Result>): Promise<Result | null> => {
    try {
      return await action();
    } catch (error) {
      faults.push(`${what} failed: ${messageOf(error)}`);
      return null;
    }
  };
  if (!rebooted && record.root !== null && isAlive(table, record.root))
    await attempt('Waiting for its agent', async () => beforeStop?.(sessionId));
  const stopped = rebooted
    ? null
    : await attempt('Ending its processes', () => stopLeftovers({ record, folder, table, graceMs }));
  // An agent that lives may still take its prompt, or end its turn.
  if (faults.length === 0 && (stopped?.survivors ?? []).length === 0)
    await attempt('Settling its turns', async () => settle?.({ sessionId, afterReboot: rebooted }));
  const { worktree, terminal } = record;
  if (terminal !== null && !rebooted)
    await attempt('Removing its terminal', async () => removeTerminal?.(terminal, sessionId));
  for (const each of record.personaFolders)
    await attempt('Removing its persona', () => removePersona({ folder: each, sessionId }));
  const removal =
    worktree === null ? null : await attempt('Removing its worktree', () => removeWorktree(worktree, { sessionId }));
  const survivors = stopped?.survivors ?? [];
  // What could not be done is still written down for the next sweep.
  if (faults.length === 0 && survivors.length === 0)
    await attempt('Removing its private folder', () => discardPrivateFolder(folder));
  const keptWorktree = removal?.kind === 'kept' ? { path: removal.path, reason: removal.reason } : null;
  return { sessionId, killed: stopped?.killed ?? 0, survivors, keptWorktree, faults };
}

async function stopLeftovers({
  record,
  folder,
  table,
  graceMs,
}: {
  record: SessionRecord;
  folder: string;
  table: ProcessTable;
  graceMs: number;
}): Promise<{ killed: number; survivors: readonly ProcessIdentity[] }> {
  const { sessionId, brand, root, detached } = record;
  const tree = new ProcessTree({ sessionId, brand, ownFolders: [...record.ownFolders, await realpath(folder)], table });
  tree.adopt(root === null ? detached : [root, ...detached]);
  return tree.stop({ graceMs });
}

/** A claim whose maker died before it was done. */
async function sweepClaim({
  folder,
  name,
  table,
}: {
  folder: string;
  name: string;
  table: ProcessTable;
}): Promise<void> {
  const [, pid, startTime] = /^\.claim-(\d+)-(\d+)-/.exec(name) ?? [];
  if (pid !== undefined && isAlive(table, { pid: Number(pid), startTime: Number(startTime) })) return;
  const record = await readRecord(folder);
  if (record !== null && ownerState(record, table) === 'elsewhere') return;
  await removePrivateFolder(folder);
}

async function setAside({ stateDir, folder, sessionId, table }: Sweeping): Promise<Outcome | null> {
  // Gone by now: another sweep, or its owner, was faster.
  if (
    !(await realpath(folder).then(
      () => true,
      () => false,
    ))
  )
    return null;
  const { pids } = await table.scan();
  const users = [...pids].filter((pid) => sessionTag(table.environment(pid)) === sessionId);
  if (users.length > 0)
    return leftAlone(
      sessionId,
      `Its record in ${folder} cannot be read, and processes of it are alive: ${users.join(', ')}. End them, then start again.`,
    );
  const unreadable = join(stateDir, 'unreadable');
  await mkdir(unreadable, { recursive: true, mode: 0o700 });
  const aside = join(unreadable, `${sessionId}-${Date.now()}`);
  await rename(folder, aside);
  return leftAlone(
    sessionId,
    `Its record could not be read, so nothing of it was undone. Its folder is now ${aside}; look into it and remove it.`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
