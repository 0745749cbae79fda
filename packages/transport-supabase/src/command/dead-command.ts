import type { WireError } from '@semo-office/core';

import type { DeadRow } from './command-rows.ts';

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

/** A dead command as users see it. Pure. */
export function deadCommand({ kind, attempts, ...row }: DeadRow): DeadCommand {
  return {
    commandId: row.command_id,
    kind,
    sessionId: row.session_id,
    hostId: row.host_id,
    attempts,
    diedAt: row.ended_at,
    error: row.last_error,
  };
}
