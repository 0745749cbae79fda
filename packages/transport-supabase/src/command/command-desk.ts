import type { CommandResult, WireError } from '@semo-office/core';

import type { CommandRepository } from './command-repository.ts';
import { answerOf } from './command-rows.ts';

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

/** A dead command. */
export interface DeadCommand {
  readonly commandId: string;
  readonly kind: string;
  readonly sessionId: string | null;
  readonly hostId: string;
  readonly attempts: number;
  /** ISO 8601, of the database. */
  readonly diedAt: string;
  readonly error: WireError | null;
}

/** Looks after commands that did not go the usual way. */
export interface CommandDesk {
  /** Where a command stands, also long after nobody waits for it any more; `null`: none of that id is kept. */
  get(commandId: string): Promise<CommandStanding | null>;
  /** Commands that were handed out and never answered, the oldest first. @param limit - Default 100. */
  dead(limit?: number): Promise<DeadCommand[]>;
  /**
   * Hands a dead command out again. Only who knows that it may be done twice, or was not done, should.
   * @throws SemoError `invalid_argument`: it is not dead.
   */
  requeue(commandId: string): Promise<void>;
}

/** For how long a command that somebody hands out again waits for its host. */
const REQUEUED_FOR_MS = 3_600_000;

/** The desk of an office's commands. */
export function commandDesk(commands: CommandRepository): CommandDesk {
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
    async dead(limit = 100) {
      const rows = await commands.dead(limit);
      return rows.map(({ kind, attempts, ...row }) => ({
        commandId: row.command_id,
        kind,
        sessionId: row.session_id,
        hostId: row.host_id,
        attempts,
        diedAt: row.ended_at,
        error: row.last_error,
      }));
    },
    requeue: (commandId) => commands.requeue(commandId, REQUEUED_FOR_MS),
  };
}
