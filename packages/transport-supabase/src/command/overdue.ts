import { SemoError, isSemoError, type Clock } from '@semo-office/core';

import { settledWithin } from '../waking/settled-within.ts';
import type { CommandRepository } from './command-repository.ts';
import type { CommandStatus } from './command-rows.ts';

/** When time is over, the database is given so long to say what it knows. */
const LAST_LOOK_MS = 1000;

/** A command whose answer has not come. */
export interface OverdueCommand {
  readonly commandId: string;
  /** What the database said when it was asked for; `null`: nothing yet. */
  readonly asked: CommandStatus | null;
  /** For how long it was waited for. */
  readonly afterMs: number;
}

/**
 * Why there is no answer in time, as far as that is known soon. The answer that comes later can still be read by the command's id.
 * @throws SemoError what the database refuses with.
 */
export async function overdueError(
  { commandId, asked, afterMs }: OverdueCommand,
  { clock, commands }: { readonly clock: Clock; readonly commands: Pick<CommandRepository, 'get'> },
): Promise<SemoError> {
  try {
    const orElse = (): SemoError => silentDatabase(afterMs);
    const command = await settledWithin(commands.get(commandId), { clock, ms: LAST_LOOK_MS, orElse });
    return command === null || command.status === 'pending'
      ? failure('host_lost', `No host took command ${commandId} within ${seconds(afterMs)} s.`, {
          commandId,
          status: command?.status ?? null,
        })
      : failure(
          'wait_timed_out',
          `The host is still at command ${commandId} after ${seconds(afterMs)} s. Read by this id what comes of it.`,
          { commandId, status: command.status },
        );
  } catch (thrown) {
    if (!isSemoError(thrown, 'host_lost')) throw thrown;
    const [code, known] =
      asked === null ? (['host_lost', 'may have been'] as const) : (['wait_timed_out', 'was'] as const);
    return failure(
      code,
      `${thrown.message} Command ${commandId} ${known} asked for: read by this id what comes of it.`,
      {
        commandId,
        status: asked,
      },
    );
  }
}

/** The error of a database that has not answered in the time that a command has. */
export function silentDatabase(afterMs: number): SemoError {
  return new SemoError('host_lost', `The database did not answer within ${seconds(afterMs)} s.`);
}

function failure(
  code: 'host_lost' | 'wait_timed_out',
  message: string,
  details: { readonly commandId: string; readonly status: CommandStatus | null },
): SemoError {
  return new SemoError(code, message, { details });
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
