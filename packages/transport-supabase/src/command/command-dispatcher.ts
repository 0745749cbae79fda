import {
  SemoError,
  TurnLanes,
  errorFromWire,
  isLossNoticed,
  isSemoError,
  laneOf,
  type Clock,
  type Command,
  type CommandResult,
} from '@semo-office/core';

import { pollWaitMs, type PollPace } from '../waking/poll-pace.ts';
import { WakeLoop } from '../waking/wake-loop.ts';
import { addressOf, answerInstead, commandForHost, joinedAnswers } from './command-address.ts';
import type { CommandOrder, CommandRepository } from './command-repository.ts';
import type { CommandStatus } from './command-rows.ts';
import { PendingAnswers } from './pending-answers.ts';

/** What {@link CommandDispatcher} needs. */
export interface DispatcherParts {
  readonly clock: Clock;
  readonly commands: CommandRepository;
  /** The hosts that are there now. */
  readonly livingHosts: () => Promise<readonly string[]>;
  /** Whether results are announced at the moment. */
  readonly isLive: () => boolean;
  readonly pace: PollPace;
  /** For how long an answer is waited for. */
  readonly answerTimeoutMs: number;
  /** What hosts of new sessions must have. */
  readonly labels: readonly string[];
  readonly onFailure: (error: SemoError, failures: number) => void;
  readonly onRecovery: () => void;
}

interface Call {
  readonly signal?: AbortSignal | undefined;
}

/** The office's side of commands: asks, and waits for the answer by announcement, and by looking where none comes. */
export class CommandDispatcher {
  readonly #parts: DispatcherParts;
  readonly #pending: PendingAnswers;
  readonly #order = new TurnLanes();
  readonly #loop: WakeLoop;
  #closed: SemoError | null = null;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#pending = new PendingAnswers(parts.clock);
    this.#loop = new WakeLoop({
      clock: parts.clock,
      look: () => this.#look(),
      waitMs: (idleLooks) => this.#waitMs(idleLooks),
      onFailure: parts.onFailure,
      onRecovery: parts.onRecovery,
    });
  }

  /** What became of a command. @throws SemoError `host_lost`, `wait_timed_out`, `aborted`, `closed`. */
  async dispatch(command: Command, call: Call = {}): Promise<CommandResult> {
    if (this.#closed !== null) throw this.#closed;
    const address = addressOf(command.body);
    if (address.to === 'every_host') return this.#askEveryHost(command, call);
    const known = await this.#known(command);
    if (known !== null) return known;
    const sessionId = address.to === 'session' ? address.sessionId : undefined;
    const labels = command.body.kind === 'create_session' ? this.#parts.labels : undefined;
    return this.#ask({ command, sessionId, labels }, call);
  }

  /** A result was announced, or one may have been missed. */
  announced(commandId?: string): void {
    if (commandId === undefined ? !this.#pending.isEmpty : this.#pending.has(commandId)) this.#loop.announced();
  }

  /** How long to wait has changed. */
  repace(): void {
    this.#loop.repace();
  }

  /** Fails what is waited for, and every later call, with `closed`. */
  async close(): Promise<void> {
    this.#closed = new SemoError('closed', 'This line was closed. Open another one.');
    this.#pending.failAll(this.#closed);
    await this.#loop.stop();
  }

  async #askEveryHost(command: Command, call: Call): Promise<CommandResult> {
    const hosts = await this.#parts.livingHosts();
    if (hosts.length === 0) throw new SemoError('host_lost', 'No host of this office is there. Start one, or wait.');
    const answers = await Promise.all(
      hosts.map((hostId) => this.#ask({ command: commandForHost(command, hostId), hostId }, call)),
    );
    return joinedAnswers(answers);
  }

  /** A turn that has ended is a row, so nobody has to be asked, and it is known when its host is away. */
  async #known({ body }: Command): Promise<CommandResult | null> {
    if (body.kind !== 'get_turn') return null;
    const turn = await this.#parts.commands.endedTurn(body.sessionId, body.turnId);
    return turn === null ? null : { success: true, result: turn };
  }

  async #ask(order: Omit<CommandOrder, 'expiresMs'>, { signal }: Call): Promise<CommandResult> {
    const { commands, answerTimeoutMs } = this.#parts;
    const { commandId, body } = order.command;
    const onTimeout = (): Promise<SemoError> => this.#overdue(commandId);
    // Waiting first: an announcement may come before the answer to our asking does.
    const answer = this.#pending.add(commandId, { signal, timeoutMs: answerTimeoutMs, onTimeout });
    const enqueued = this.#enqueue({ ...order, expiresMs: answerTimeoutMs }).then(
      (status) => this.#lookFor(status),
      (thrown: unknown) => {
        const instead = answerInstead(body, thrown);
        if (instead !== null) this.#pending.answer(commandId, instead);
        else this.#pending.fail(commandId, SemoError.from(thrown));
      },
    );
    try {
      const result = await answer;
      // By somebody who asked for it before us and gave up: we have not.
      if (isTakenBack(result)) return await this.#ask(order, { signal });
      // Whoever asked for it goes elsewhere: a host that comes back need not make it.
      if (body.kind === 'create_session' && isLost(result)) void commands.withdraw(commandId).catch(() => {});
      return result;
    } catch (thrown) {
      // Not before it is there; a host that has it by now goes on with it.
      if (isSemoError(thrown, 'aborted')) void enqueued.then(() => commands.withdraw(commandId)).catch(() => {});
      throw thrown;
    }
  }

  /** Numbers are given in the order of arrival at the database, so what keeps an order sets out one after the other. */
  #enqueue(order: CommandOrder): Promise<CommandStatus | null> {
    const { commands } = this.#parts;
    const enqueue = async (): Promise<CommandStatus | null> => {
      // It may have been given up while it waited for those before it.
      if (!this.#pending.has(order.command.commandId)) return null;
      return (await commands.enqueue(order)).status;
    };
    if (order.sessionId === undefined) return enqueue();
    return this.#order.enter(`${order.sessionId} ${laneOf(order.command.body)}`, enqueue);
  }

  /** Where the answer will be announced, nobody has to look for it now: it is also looked for from time to time. */
  #lookFor(status: CommandStatus | null): void {
    const isOpen = status === 'pending' || status === 'processing';
    if (!isOpen || !this.#parts.isLive()) this.#loop.wake();
  }

  async #look(): Promise<boolean> {
    const { ids } = this.#pending;
    if (ids.length === 0) return false;
    const answers = await this.#parts.commands.answers(ids);
    for (const [commandId, answer] of answers) this.#pending.answer(commandId, answer);
    return answers.size > 0;
  }

  #waitMs(idleLooks: number): number {
    const { pace } = this.#parts;
    const live = this.#parts.isLive();
    // Nothing to look for: whoever asks wakes us up.
    return pollWaitMs(pace, { live, idleLooks: this.#pending.isEmpty ? Number.POSITIVE_INFINITY : idleLooks });
  }

  /** Why there is no answer in time. The answer that comes later can still be read by the command's id. */
  async #overdue(commandId: string): Promise<SemoError> {
    const seconds = Math.round(this.#parts.answerTimeoutMs / 1000);
    const command = await this.#parts.commands.get(commandId);
    const details = { commandId, status: command?.status ?? null };
    if (command === null || command.status === 'pending')
      return new SemoError('host_lost', `No host took command ${commandId} within ${seconds} s.`, { details });
    return new SemoError(
      'wait_timed_out',
      `The host is still at command ${commandId} after ${seconds} s. Read by this id what comes of it.`,
      { details },
    );
  }
}

function isTakenBack(result: CommandResult): boolean {
  return !result.success && errorFromWire(result.error).details['takenBack'] === true;
}

function isLost(result: CommandResult): boolean {
  return !result.success && isLossNoticed(errorFromWire(result.error));
}
