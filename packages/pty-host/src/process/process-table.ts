/** One process, whatever happens to its number later: a pid is reused, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began: clock ticks since boot on Linux, epoch seconds elsewhere. Only ever compared for equality. */
  readonly startTime: number;
}

/** What the system's process list says of one process. */
export interface ProcessEntry extends ProcessIdentity {
  readonly ppid: number;
  /** Process group. */
  readonly pgid: number;
  /** Session; 0 where the system does not tell. */
  readonly sid: number;
  readonly uid: number;
  /** One letter: `R`, `S`, `D`, `T` (stopped), `Z` (dead, not yet reaped) … */
  readonly state: string;
}

/** What one look at the process list found. */
export interface ProcessScan {
  /** Every process id there was. */
  readonly pids: ReadonlySet<number>;
  /** The processes, without those that were asked to be left out. In ascending order of pid. */
  readonly entries: readonly ProcessEntry[];
}

/**
 * The system's processes. A process may end between any two calls: what asks about one that is gone gets `null`.
 */
export interface ProcessTable {
  /**
   * Looks at all processes, except those in `except`, which costs nothing for them. Who asks at the same time may be given
   * the same scan, which began after each of them had asked.
   */
  scan(except?: ReadonlySet<number>): Promise<ProcessScan>;
  /** One process as it is at this moment. */
  find(pid: number): ProcessEntry | null;
  /** Its environment as it was started with, entries ended by NUL; `null` where we may not look. */
  environment(pid: number): Uint8Array | null;
  /** The folder it is in; `null` where we may not look. */
  workingFolder(pid: number): string | null;
  /** Its resource limits as `/proc/<pid>/limits` prints them; `null` where the system does not tell. */
  limits(pid: number): string | null;
  /**
   * Its number in the innermost namespace it is in; `null` when that is ours, or the system does not tell. With the first
   * process of a namespace the kernel ends all others.
   */
  innerPid(pid: number): number | null;
  /** Its children; none where the system does not tell. */
  children(pid: number): number[];
  /** Sends a signal to a process, or with a negative number to a group. False when there is none, or we may not. */
  signal(target: number, signal: NodeJS.Signals): boolean;
  /** This machine, boot and set of process ids: identities of another one mean nothing here. */
  readonly machine: ProcessMachine;
}

/** Where process ids are valid. */
export interface ProcessMachine {
  readonly hostname: string;
  readonly bootId: string;
  readonly pidNamespace: string;
}

/** Whether this very process lives; a dead one that nobody has reaped does not. */
export function isAlive(table: ProcessTable, { pid, startTime }: ProcessIdentity): boolean {
  const entry = table.find(pid);
  return entry !== null && entry.startTime === startTime && !isDead(entry);
}

/** Whether an entry is only what is left of a process: nothing can be done to it, and it can do nothing. */
export function isDead({ state }: ProcessEntry): boolean {
  return state === 'Z' || state === 'X' || state === 'x';
}

/**
 * The identity of a process that is ours to ask about, or `null` when it is gone.
 *
 * @example
 * ```ts
 * const root = identify(table, child.pid);
 * ```
 */
export function identify(table: ProcessTable, pid: number): ProcessIdentity | null {
  const entry = table.find(pid);
  return entry === null ? null : { pid, startTime: entry.startTime };
}

/** `process.kill` with its two ordinary refusals, no such process and not permitted, as false. */
export function sendSignal(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch {
    return false;
  }
}
