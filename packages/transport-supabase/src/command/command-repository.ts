import { errorToWire, type Command, type CommandResult } from '@semo-office/core';
import { z } from 'zod';

import { PROTOCOL_VERSION } from '../protocol.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import type { Json } from '../database/database.ts';
import { storable } from '../database/storable.ts';
import { rowOf, rowsOf, valueOf } from '../database/rows.ts';
import {
  answerOf,
  answerRowSchema,
  claimedRowSchema,
  commandRowSchema,
  deadRowSchema,
  enqueuedRowSchema,
} from './command-rows.ts';
import type { ClaimedCommand } from './command-rows.ts';

/** Under what a host writes: a number that grows with each of its registrations. */
export interface Fence {
  readonly hostId: string;
  readonly epoch: number;
}

/** A command on its way to a host. */
export interface CommandOrder {
  readonly command: Command;
  readonly sessionId?: string | undefined;
  readonly hostId?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  /** For how long somebody waits for it. */
  readonly expiresMs: number;
}

/** Which dead commands to read. */
export interface DeadQuery {
  readonly limit: number;
  /** Only those that come after this one. */
  readonly after?: { readonly commandId: string; readonly diedAt: string } | undefined;
}

/** What a host claims. */
export interface ClaimOrder {
  readonly limit: number;
  readonly leaseMs: number;
  /** What it has, where it may have missed an answer: what it was handed beside that is handed out again. */
  readonly held?: readonly string[] | undefined;
}

/** Commands and their answers in the database. Every row that comes back is parsed. */
export class CommandRepository {
  readonly #door: DatabaseDoor;
  readonly #officeId: string;

  constructor(door: DatabaseDoor, officeId: string) {
    this.#door = door;
    this.#officeId = officeId;
  }

  /** Asks for a command; the same id again is the same command. @throws SemoError as the function refuses. */
  async enqueue({ command, sessionId, hostId, labels, expiresMs }: CommandOrder) {
    const rows = await this.#door.call('semo_enqueue_command', {
      p_office_id: this.#officeId,
      p_command_id: command.commandId,
      p_kind: command.body.kind,
      p_payload: toJson(command.body),
      p_expires_ms: expiresMs,
      p_protocol: PROTOCOL_VERSION,
      ...(sessionId === undefined ? {} : { p_session_id: sessionId }),
      ...(hostId === undefined ? {} : { p_host_id: hostId }),
      ...(labels === undefined ? {} : { p_labels: [...labels] }),
    });
    return rowOf(enqueuedRowSchema, rows, 'command that was asked for');
  }

  /** The answers there are to some of these commands, by id. */
  async answers(commandIds: readonly string[]): Promise<Map<string, CommandResult>> {
    const rows = await this.#door.call('semo_read_results', {
      p_office_id: this.#officeId,
      p_command_ids: [...commandIds],
    });
    const answers = rowsOf(z.looseObject({ command_id: z.string() }), rows, 'answers').map(
      (row) => [row.command_id, answerIn(row)] as const,
    );
    return new Map(answers.flatMap(([id, answer]) => (answer === null ? [] : [[id, answer] as const])));
  }

  /** All that is known of a command; `null`: there is none of that id. */
  async get(commandId: string) {
    const rows = await this.#door.call('semo_get_command', { p_office_id: this.#officeId, p_command_id: commandId });
    return rowsOf(commandRowSchema, rows, 'command').at(0) ?? null;
  }

  /** Takes a command back that no host has had. `false`: a host has had it. */
  async withdraw(commandId: string): Promise<boolean> {
    const done = await this.#door.call('semo_withdraw_command', {
      p_office_id: this.#officeId,
      p_command_id: commandId,
    });
    return valueOf(z.boolean(), done, 'outcome of taking a command back');
  }

  /** Commands that were given up after they had been handed out, the oldest first. */
  async dead({ limit, after }: DeadQuery) {
    const rows = await this.#door.call('semo_dead_commands', {
      p_office_id: this.#officeId,
      p_limit: limit,
      ...(after === undefined ? {} : { p_after_at: after.diedAt, p_after_id: after.commandId }),
    });
    return rowsOf(deadRowSchema, rows, 'dead commands');
  }

  /** The last that was given up; `null`: none. */
  async newestDead() {
    const order = { p_office_id: this.#officeId, p_limit: 1, p_newest_first: true };
    return rowsOf(deadRowSchema, await this.#door.call('semo_dead_commands', order), 'dead command').at(0) ?? null;
  }

  /** Has a dead command handed out again, for that long. @throws SemoError as the function refuses. */
  async requeue(commandId: string, expiresMs: number): Promise<void> {
    await this.#door.call('semo_requeue_command', {
      p_office_id: this.#officeId,
      p_command_id: commandId,
      p_expires_ms: expiresMs,
    });
  }

  /** The verdict on a turn that has ended, as it was written; `null`: ask the host. */
  async endedTurn(sessionId: string, turnId: string): Promise<unknown> {
    return this.#door.call('semo_ended_turn', {
      p_office_id: this.#officeId,
      p_session_id: sessionId,
      p_turn_id: turnId,
    });
  }

  /** The oldest open command of each lane of a host that is not at work. @throws SemoError `lease_lost`. */
  async claim(fence: Fence, { limit, leaseMs, held }: ClaimOrder) {
    const rows = await this.#door.call('semo_claim_commands', {
      ...this.#fenced(fence),
      p_limit: limit,
      p_lease_ms: leaseMs,
      ...(held === undefined ? {} : { p_held: [...held] }),
    });
    return rowsOf(claimedRowSchema, rows, 'commands that were claimed');
  }

  /**
   * Answers a command under its lease; gives whether more waits. What was said in the answer is kept with marks in the place of what
   * the database cannot keep. @throws SemoError `lease_lost`: it is somebody else's by now.
   */
  async answer(fence: Fence, command: ClaimedCommand, result: CommandResult): Promise<boolean> {
    const lease = { ...this.#fenced(fence), p_command_id: command.command_id, p_lease_token: command.lease_token };
    const more = result.success
      ? await this.#door.call('semo_complete_command', { ...lease, p_result: storable(result.result ?? null) })
      : await this.#door.call('semo_fail_command', { ...lease, p_error: storable(result.error) });
    return valueOf(z.boolean(), more, 'outcome of answering');
  }

  #fenced({ hostId, epoch }: Fence) {
    return { p_office_id: this.#officeId, p_host_id: hostId, p_epoch: epoch };
  }
}

/** The answer in a row. One that is not valid is the answer to its own command and hides no other. */
function answerIn(row: unknown): CommandResult | null {
  try {
    return answerOf(valueOf(answerRowSchema, row, 'answer of the host'));
  } catch (thrown) {
    return { success: false, error: errorToWire(thrown) };
  }
}

/** A value as JSON: without what is undefined. */
export function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
