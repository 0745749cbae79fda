import { systemClock, type Cancel, type Clock } from '@semo-office/core';

import { ProcessFamily } from './process-family.ts';
import {
  identify,
  isAlive,
  isDead,
  type ProcessEntry,
  type ProcessIdentity,
  type ProcessScan,
  type ProcessTable,
} from './process-table.ts';
import { systemProcessWatch, type ProcessWatch } from './process-watch.ts';
import { evidenceOf, type SessionMarks, witnessOf } from './session-evidence.ts';
import { climbStopLadder, type StopOptions, type StopReport } from './stop-ladder.ts';
import { systemProcessTable } from './system-process-table.ts';

/** Options of {@link ProcessTree}. */
export interface ProcessTreeOptions {
  readonly sessionId: string;
  /** The soft limit of the session's brand. Default none. */
  readonly brand?: number | null | undefined;
  /** Real paths of folders that are this session's alone: its private ones and worktrees made for it. Default none. */
  readonly ownFolders?: readonly string[] | undefined;
  /** Is told of processes that have left the agent's session (as `setsid` and daemons do), to remember them on disk. */
  readonly onDetached?: ((processes: readonly ProcessIdentity[]) => void) | undefined;
  readonly table?: ProcessTable | undefined;
  /** Default: the one all sessions share. */
  readonly watch?: ProcessWatch | undefined;
  readonly clock?: Clock | undefined;
}

// As in the process table: one look at brand, environment and folder takes about 60 µs.
const LOOKS_PER_TURN = 10;

/**
 * All processes of one session, also those that left its group, its session or their parent.
 *
 * @example
 * ```ts
 * const tree = new ProcessTree({ sessionId, brand: brand?.softLimit, ownFolders: [privateFolder] });
 * tree.track(terminal.pid);
 * const { survivors } = await tree.stop({ graceMs: 3000, askNicely: () => driver.exit() });
 * ```
 */
export class ProcessTree {
  readonly #marks: SessionMarks;
  readonly #table: ProcessTable;
  readonly #watch: ProcessWatch;
  readonly #clock: Clock;
  readonly #family: ProcessFamily;
  readonly #onDetached: ProcessTreeOptions['onDetached'];
  #root: ProcessEntry | null = null;
  #unwatch: Cancel | null = null;

  constructor({ sessionId, brand, ownFolders = [], onDetached, table, watch, clock }: ProcessTreeOptions) {
    this.#marks = { sessionId, brand: brand ?? null, ownFolders };
    this.#table = table ?? systemProcessTable;
    this.#watch = watch ?? systemProcessWatch;
    this.#clock = clock ?? systemClock;
    this.#family = new ProcessFamily(this.#table);
    this.#onDetached = onDetached;
  }

  /** Begins to watch the agent and all that descends from it; gives its identity, or `null` when it is already gone. */
  track(rootPid: number): ProcessIdentity | null {
    this.#unwatch ??= this.#watch.add((scan) => this.#follow(scan));
    const root = this.#table.find(rootPid);
    if (root === null) return null;
    this.#root = root;
    this.#family.add(root);
    return { pid: root.pid, startTime: root.startTime };
  }

  /** The numbers of its processes, as far as the watching knows them: cheap, and up to a look behind. See {@link members}. */
  get pids(): number[] {
    return this.#family.pids;
  }

  /** Takes in processes known from before, such as those a journal names, if they are still the same ones. */
  adopt(processes: readonly ProcessIdentity[]): void {
    for (const { pid, startTime } of processes) {
      const entry = this.#table.find(pid);
      if (entry !== null && entry.startTime === startTime) this.#family.add(entry);
    }
  }

  /** Ends the watching. What is alive stays alive. */
  unwatch(): void {
    this.#unwatch?.();
    this.#unwatch = null;
  }

  /** Everything of this session that is alive: of our own user, never we ourselves or what we descend from. */
  async members(): Promise<ProcessIdentity[]> {
    return (await this.#members()).map(({ pid, startTime }) => ({ pid, startTime }));
  }

  /** Ends everything of this session and then the watching; see {@link StopReport}. Never throws because of a process. */
  async stop(options: StopOptions): Promise<StopReport> {
    const report = await climbStopLadder({
      ...options,
      table: this.#table,
      clock: this.#clock,
      members: () => this.#members(),
      rootLives: () => this.#root !== null && isAlive(this.#table, this.#root),
    });
    this.unwatch();
    return report;
  }

  #follow(scan: ProcessScan): void {
    const joined = this.#family.follow(scan);
    const detached = joined.filter(({ sid }) => sid !== this.#root?.sid);
    if (detached.length > 0) this.#onDetached?.(detached.map(({ pid, startTime }) => ({ pid, startTime })));
  }

  async #members(): Promise<ProcessEntry[]> {
    const scan = await this.#table.scan();
    const witness = witnessOf(this.#table, scan);
    const candidates = this.#candidates(scan.entries);
    const strangers = (entry: ProcessEntry): boolean => evidenceOf(witness, entry.pid, this.#marks) === 'foreign';
    this.#family.join(candidates, strangers);
    let looks = 0;
    for (const entry of candidates) {
      if (this.#family.has(entry)) continue;
      const evidence = evidenceOf(witness, entry.pid, this.#marks);
      // In a folder of ours somebody may also just be looking around: only who has lost its parent is taken by the folder.
      // The process may have ended, and its number been given away, between the two looks.
      const same = identify(this.#table, entry.pid)?.startTime === entry.startTime;
      if (same && (evidence === 'ours' || (evidence === 'folder' && entry.ppid === 1))) this.#family.add(entry);
      looks += 1;
      if (looks % LOOKS_PER_TURN === 0) await new Promise(setImmediate);
    }
    this.#family.join(candidates, strangers);
    return candidates.filter((entry) => this.#family.has(entry) && isAlive(this.#table, entry));
  }

  /** Processes that could be ours at all. */
  #candidates(entries: readonly ProcessEntry[]): ProcessEntry[] {
    const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
    const never = new Set<number>([0, 1, 2]);
    for (let pid = process.pid; pid > 1 && !never.has(pid); pid = byPid.get(pid)?.ppid ?? 0) never.add(pid);
    const uid = process.getuid?.();
    return entries.filter((entry) => entry.uid === uid && entry.ppid !== 2 && !never.has(entry.pid) && !isDead(entry));
  }
}
