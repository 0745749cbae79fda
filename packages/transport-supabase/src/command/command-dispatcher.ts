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
import { settledWithin } from '../waking/settled-within.ts';
import { WakeLoop } from '../waking/wake-loop.ts';
import { addressOf, answerInstead, commandForHost, joinedAnswers } from './command-address.ts';
import type { CommandOrder, CommandRepository } from './command-repository.ts';
import type { CommandStatus } from './command-rows.ts';
import { overdueError, silentDatabase } from './overdue.ts';
import { PendingAnswers, givenUp } from './pending-answers.ts';

/** What {@link CommandDispatcher} needs. */
export interface DispatcherParts {
  readonly clock: Clock;
  readonly commands: CommandRepository;
  /** Resolves once what comes of a command is listened to. */
  readonly ready: () => Promise<void>;
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

/** A call with the time that is left for it. */
interface TimedCall {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** What is known before anybody is asked. */
interface Outlook {
  /** Who is to be asked, one by one; `null`: whoever the database says. */
  readonly hosts: readonly string[] | null;
  /** What would be answered; `null`: ask. */
  readonly answer: CommandResult | null;
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

  /** What became of a command, in time. @throws SemoError `host_lost`, `wait_timed_out`, `aborted`, `closed`. */
  async dispatch(command: Command, { signal }: Call = {}): Promise<CommandResult> {
    if (this.#closed !== null) throw this.#closed;
    if (signal?.aborted === true) throw givenUp(signal, 'before');
    const { clock, answerTimeoutMs } = this.#parts;
    const begunAt = clock.now();
    const { hosts, answer } = await settledWithin(this.#outlook(command), {
      clock,
      ms: answerTimeoutMs,
      signal,
      orElse: () => (signal?.aborted === true ? givenUp(signal, 'before') : silentDatabase(answerTimeoutMs)),
    });
    if (answer !== null) return answer;
    const timeoutMs = Math.min(Math.max(begunAt + answerTimeoutMs - clock.now(), 0), answerTimeoutMs);
    const call = { signal, timeoutMs };
    if (hosts !== null) return this.#askHosts(hosts, command, call);
    const address = addressOf(command.body);
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

  /** Looks at what there is to know first. */
  async #outlook(command: Command): Promise<Outlook> {
    // What comes of a command is told as events too: those must be listened to by then.
    await this.#parts.ready();
    const isForAll = addressOf(command.body).to === 'every_host';
    return { hosts: isForAll ? await this.#parts.livingHosts() : null, answer: await this.#known(command) };
  }

  async #askHosts(hosts: readonly string[], command: Command, call: TimedCall): Promise<CommandResult> {
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

  async #ask(order: Omit<CommandOrder, 'expiresMs'>, call: TimedCall): Promise<CommandResult> {
    const { commands, answerTimeoutMs } = this.#parts;
    const { commandId, body } = order.command;
    let asked: CommandStatus | null = null;
    const onTimeout = (): Promise<SemoError> =>
      overdueError({ commandId, asked, afterMs: answerTimeoutMs }, this.#parts);
    // Waiting first: an announcement may come before the answer to our asking does.
    const answer = this.#pending.add(commandId, { ...call, onTimeout });
    const enqueue = async (): Promise<void> => {
      try {
        asked = await this.#enqueue({ ...order, expiresMs: answerTimeoutMs });
        this.#lookFor(asked);
      } catch (thrown) {
        const instead = answerInstead(body, thrown);
        if (instead !== null) this.#pending.answer(commandId, instead);
        else this.#pending.fail(commandId, SemoError.from(thrown));
      }
    };
    const enqueued = enqueue();
    try {
      const result = await answer;
      // By somebody who asked for it before us and gave up: we have not.
      if (isTakenBack(result)) return await this.#ask(order, call);
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
}

function isTakenBack(result: CommandResult): boolean {
  return !result.success && errorFromWire(result.error).details['takenBack'] === true;
}

function isLost(result: CommandResult): boolean {
  return !result.success && isLossNoticed(errorFromWire(result.error));
}
