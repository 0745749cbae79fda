import type { ProcessTable } from '../process/process-table.ts';

/** Where an agent's process is looked for. */
export interface AgentProcessOptions {
  readonly table: ProcessTable;
  /** The process that was started. */
  readonly rootPid: number;
  /** See `ContainedStart.pidInside`. */
  readonly pidInside: 'same' | number | null;
}

/**
 * The agent's process id as it is seen from outside. What was started may be only what the namespace was entered with: then
 * the agent is a child of the namespace's first process, which is a child of that.
 */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  #pid: number | null = null;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
  }

  /** The agent's, or that of what was started, as long as or where the agent is not found. */
  get pid(): number {
    const { rootPid, pidInside } = this.#options;
    if (typeof pidInside === 'number') this.#pid ??= this.#find(pidInside);
    return this.#pid ?? rootPid;
  }

  #find(pidInside: number): number | null {
    const { table, rootPid } = this.#options;
    const first = table.children(rootPid).find((pid) => table.innerPid(pid) === 1);
    if (first === undefined) return null;
    return table.children(first).find((pid) => table.innerPid(pid) === pidInside) ?? null;
  }
}
