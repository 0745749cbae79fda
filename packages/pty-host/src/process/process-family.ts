import {
  isAlive,
  isDead,
  type ProcessEntry,
  type ProcessIdentity,
  type ProcessScan,
  type ProcessTable,
} from './process-table.ts';

interface Known extends ProcessIdentity {
  pgid: number;
  sid: number;
  /** A young process may still go into a session of its own: it is looked at again this many times. */
  looksLeft: number;
}

const LOOKS_AT_THE_YOUNG = 4;

/**
 * The processes known to descend from a session's first one: remembered while they live, so that one whose parent is
 * gone is still known, and recognised by group and session too.
 */
export class ProcessFamily {
  readonly #table: ProcessTable;
  readonly #known = new Map<number, Known>();
  readonly #own: { readonly pgid: number; readonly sid: number };

  constructor(table: ProcessTable) {
    this.#table = table;
    // A child without a session of its own is in our group, as all our other children are: that says nothing.
    const { pgid, sid } = table.find(process.pid) ?? { pgid: 0, sid: 0 };
    this.#own = { pgid, sid };
  }

  /** Whether this very process is known. */
  has({ pid, startTime }: ProcessIdentity): boolean {
    return this.#known.get(pid)?.startTime === startTime;
  }

  /** The numbers of all that were alive at the last look. */
  get pids(): number[] {
    return [...this.#known.keys()];
  }

  /** Takes a process in that is known to belong here. */
  add({ pid, startTime, pgid, sid }: ProcessEntry): void {
    this.#known.set(pid, { pid, startTime, pgid, sid, looksLeft: LOOKS_AT_THE_YOUNG });
  }

  /** Takes in what is new and descends from, or shares a group or session with, what is known; forgets the dead. */
  follow({ entries, pids }: ProcessScan): ProcessEntry[] {
    const joined = this.join(entries);
    for (const known of this.#known.values()) {
      if (!pids.has(known.pid)) this.#known.delete(known.pid);
      else if (known.looksLeft > 0) joined.push(...this.#lookAgain(known));
    }
    return joined;
  }

  /** Takes in, of these, all that belong to what is known, until no more do. `except` keeps out what must not join by group. */
  join(entries: readonly ProcessEntry[], except?: (entry: ProcessEntry) => boolean): ProcessEntry[] {
    const joined: ProcessEntry[] = [];
    for (let before = -1; before !== joined.length;) {
      before = joined.length;
      const groups = this.#groups();
      for (const entry of entries) {
        if (this.has(entry) || isDead(entry)) continue;
        const inGroup = [entry.pgid, entry.sid].some((group) => groups.has(group) && this.#isOurs(group));
        const kin = this.#isChild(entry) || (inGroup && except?.(entry) !== true);
        if (!kin) continue;
        this.add(entry);
        joined.push(entry);
      }
    }
    return joined;
  }

  /** The number of a dead parent may have been given to a stranger: only the very process counts. */
  #isChild({ ppid }: ProcessEntry): boolean {
    const parent = this.#known.get(ppid);
    return parent !== undefined && this.#table.find(ppid)?.startTime === parent.startTime;
  }

  #groups(): Set<number> {
    const groups = new Set<number>();
    for (const { pgid, sid } of this.#known.values()) groups.add(pgid).add(sid);
    for (const number of [0, 1, this.#own.pgid, this.#own.sid]) groups.delete(number);
    return groups;
  }

  /**
   * A group keeps its number while one process is in it, and no process is given that number. So a number that only
   * dead ones of ours were in, and that a stranger now leads, is a new group.
   */
  #isOurs(group: number): boolean {
    const leader = this.#table.find(group);
    if (leader === null || this.has(leader)) return true;
    return [...this.#known.values()].some(
      (known) => (known.pgid === group || known.sid === group) && isAlive(this.#table, known),
    );
  }

  #lookAgain(known: Known): ProcessEntry[] {
    known.looksLeft -= 1;
    const entry = this.#table.find(known.pid);
    if (entry === null || entry.startTime !== known.startTime) {
      this.#known.delete(known.pid);
      return [];
    }
    const moved = entry.sid !== known.sid || entry.pgid !== known.pgid;
    known.pgid = entry.pgid;
    known.sid = entry.sid;
    return moved ? [entry] : [];
  }
}
