import { idSchema, parseEdge, type CommandResult, type Unsubscribe } from '@semo-office/core';
import { z } from 'zod';

import type { CommandRepository } from './command-repository.ts';
import { answerOf } from './command-rows.ts';
import { deadCommand, type DeadCommand } from './dead-command.ts';
import type { DeadLetters } from './dead-letters.ts';

/** Where a command stands. */
export interface CommandStanding {
  readonly commandId: string;
  readonly kind: string;
  readonly sessionId: string | null;
  readonly hostId: string;
  /** `dead`: it was handed out, nobody answered, and it is not handed out again by itself. */
  readonly status: 'pending' | 'processing' | 'completed' | 'failed' | 'dead';
  readonly attempts: number;
  /** `null`: none yet. */
  readonly answer: CommandResult | null;
  /** Whether the answer came after the command had been given up. */
  readonly late: boolean;
}

/** Which page of the dead commands. */
export interface DeadPage {
  /** 1 to 1 000. Default 100. */
  readonly limit?: number | undefined;
  /** The last one of the page before. Default: from the beginning. */
  readonly after?: Pick<DeadCommand, 'commandId' | 'diedAt'> | undefined;
}

/** Looks after commands that did not go the usual way. */
export interface CommandDesk {
  /** Where a command stands, also long after nobody waits for it any more; `null`: none of that id is kept. */
  get(commandId: string): Promise<CommandStanding | null>;
  /**
   * Commands that were handed out and never answered, the oldest first, a page at a time. @throws SemoError `invalid_argument`.
   *
   * @example
   * ```ts
   * for (let page = await commands.dead(); page.length > 0; page = await commands.dead({ after: page.at(-1) }))
   *   for (const { commandId, kind, error } of page) console.log(commandId, kind, error?.message);
   * ```
   */
  dead(page?: DeadPage): Promise<DeadCommand[]>;
  /**
   * Tells of each command that dies from now on, once, while this transport has an `office()`. What dies while nobody listens
   * is in `dead()`. What a listener throws is printed to the error console.
   */
  onDead(listener: (command: DeadCommand) => void): Unsubscribe;
  /**
   * Hands a dead command out again: its host carries it out once more, whatever it remembers, and the answer is read by the same
   * id. Only who knows that it may be done twice, or was not done, should. A prompt whose turn the host knows is not sent again.
   * @throws SemoError `invalid_argument`: it is not dead; `host_lost`: its host is not there; `session_terminated`: its session was
   * given up, or has ended and its host is not there; `session_conflict`: its session is on another host by now.
   */
  requeue(commandId: string): Promise<void>;
}

const deadPageSchema = z.object({
  // As many rows as the API gives at once.
  limit: z.number().int().min(1).max(1000).default(100),
  after: z.object({ commandId: idSchema, diedAt: z.iso.datetime({ offset: true }) }).optional(),
});

/** For how long a command that somebody hands out again waits for its host. */
const REQUEUED_FOR_MS = 3_600_000;

/** The desk of an office's commands. */
export function commandDesk(commands: CommandRepository, deadLetters: DeadLetters): CommandDesk {
  return {
    async get(commandId) {
      const row = await commands.get(commandId);
      if (row === null) return null;
      const { kind, status, attempts } = row;
      return {
        commandId,
        kind,
        sessionId: row.session_id,
        hostId: row.host_id,
        status,
        attempts,
        answer: answerOf(row),
        late: row.late ?? false,
      };
    },
    async dead(page = {}) {
      const query = parseEdge(deadPageSchema, page, { what: 'page of dead commands' });
      return (await commands.dead(query)).map(deadCommand);
    },
    onDead: (listener) => deadLetters.on(listener),
    requeue: (commandId) => commands.requeue(commandId, REQUEUED_FOR_MS),
  };
}
