import { z } from 'zod';

/** The tools that start subagents; which name it has depends on the version. */
export const SUBAGENT_TOOLS = ['Agent', 'Task'] as const;

/** What a tool gives back that has put work into the background: a command, or a subagent. */
const launchSchema = z.union([
  z.looseObject({ backgroundTaskId: z.string() }).transform(({ backgroundTaskId }) => backgroundTaskId),
  z.looseObject({ isAsync: z.literal(true), agentId: z.string() }).transform(({ agentId }) => agentId),
]);
const TASK_ID = /<task-id>([^<]+)<\/task-id>/g;

/**
 * The background tasks of the running turn, until the agent has been told how they ended. One that ends while the agent
 * still speaks is running no more at the Stop hook, and yet the agent goes on: the news is its next prompt.
 */
export class ClaudeTasks {
  readonly #untold = new Set<string>();
  #running: readonly string[] = [];
  /** Left by turns before: the agent may well go on because of them, but no later turn waits for that. */
  readonly #older = new Set<string>();

  /** A turn begins: whatever runs now is none of its. */
  turnBegan(): void {
    for (const id of [...this.#untold, ...this.#running]) this.#older.add(id);
    this.#untold.clear();
    this.#running = [];
  }

  /** The agent says which tasks run; gives how many of them are the turn's. */
  onRunning(ids: readonly (string | undefined)[]): number {
    const own = ids.filter((id) => id === undefined || !this.#older.has(id));
    this.#running = own.filter((id) => id !== undefined);
    return own.length;
  }

  /** How many the agent has not heard of. */
  get untold(): number {
    return this.#untold.size;
  }

  /** A tool has answered. */
  onTool(response: unknown): void {
    const launched = launchSchema.safeParse(response);
    if (launched.success) this.#untold.add(launched.data);
  }

  /** The agent got a prompt of the CLI's own. */
  onNotification(prompt: string): void {
    for (const [, id = ''] of prompt.matchAll(TASK_ID)) this.#untold.delete(id);
  }
}
