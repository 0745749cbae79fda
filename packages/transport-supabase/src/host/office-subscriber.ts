import {
  SemoError,
  errorToWire,
  isSemoError,
  newId,
  sessionInfoSchema,
  type Clock,
  type Command,
  type CommandResult,
  type ErrorCode,
} from '@semo-office/core';

import type { CommandRepository, Fence } from '../command/command-repository.ts';
import type { ClaimedCommand } from '../command/command-rows.ts';
import { RETRY_PACE, backoffMs, pollWaitMs, type PollPace } from '../waking/poll-pace.ts';
import { orAborted } from '../waking/or-aborted.ts';
import { sleep } from '../waking/sleep.ts';
import { WakeLoop } from '../waking/wake-loop.ts';
import type { HostRegistration } from './host-registration.ts';
import { redeliveryOf, unknownDelivery } from './redelivery.ts';

/** What carries commands out; it never rejects. */
export type CommandHandler = (command: Command) => Promise<CommandResult>;

/** What {@link OfficeSubscriber} needs. */
export interface SubscriberParts {
  readonly clock: Clock;
  readonly commands: CommandRepository;
  readonly registration: HostRegistration;
  /** Whether new commands are announced at the moment. */
  readonly isLive: () => boolean;
  readonly pace: PollPace;
  readonly leaseMs: number;
  /** Told when a command has been answered, or its answer is not wanted any more. */
  readonly onAnswered: () => void;
  readonly onProblem: (problem: SemoError) => void;
}

interface HeldCommand {
  readonly done: Promise<void>;
  readonly lane: 'turn' | 'control';
  readonly sessionId: string | null;
}

/** How many commands are claimed at once; with more waiting, the next claim follows at once. */
const CLAIM_LIMIT = 64;

/** What is said of an answer that no later attempt would bring in either. */
const UNKEEPABLE: ReadonlySet<ErrorCode> = new Set(['invalid_argument', 'internal']);

/** The host's side of commands: claims what there is, each lane by itself, carries it out and answers under the lease. */
export class OfficeSubscriber {
  readonly #parts: SubscriberParts;
  readonly #held = new Map<string, HeldCommand>();
  readonly #stopped = new AbortController();
  readonly #loop: WakeLoop;
  #handler: CommandHandler | null = null;
  /** A claim has failed, and the commands it was given may have been lost on their way. */
  #hasMissed = false;
  /** Counts claims, so that an answer knows of those that began while it was on its way. */
  #claims = 0;

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
    this.#loop = new WakeLoop({
      clock: parts.clock,
      look: () => this.#claim(),
      waitMs: (idleLooks) => pollWaitMs(parts.pace, { live: parts.isLive(), idleLooks }),
      onFailure: (error) => this.#failed(error),
      onRecovery: () => parts.registration.answered(),
    });
  }

  /** The commands that are being carried out. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** The sessions for which something keeps its order: what is being made, and prompts that wait. */
  get busySessions(): readonly string[] {
    return [...this.#held.values()].flatMap(({ lane, sessionId }) =>
      lane === 'turn' && sessionId !== null ? [sessionId] : [],
    );
  }

  /** Claims from now on; `null`: no more. */
  serve(handler: CommandHandler | null): void {
    this.#handler = handler;
    if (handler !== null) this.#loop.wake();
  }

  /** There may be something to claim. */
  wake(): void {
    if (this.#handler !== null) this.#loop.wake();
  }

  /** There is something to claim, as far as anybody knows. */
  announced(): void {
    if (this.#handler !== null) this.#loop.announced();
  }

  /** How long to wait has changed. */
  repace(): void {
    this.#loop.repace();
  }

  /** Claims no more; resolves when what was begun is answered, or nobody waits for that any more. */
  async stop(late: AbortSignal): Promise<void> {
    this.#handler = null;
    await orAborted(this.#loop.stop(), late);
    await orAborted(Promise.all([...this.#held.values()].map(({ done }) => done)), late);
    this.#stopped.abort();
  }

  async #claim(): Promise<boolean> {
    const handler = this.#handler;
    if (handler === null) return false;
    this.#claims += 1;
    const { fence, claimed } = await this.#claimUnderFence();
    for (const command of claimed) this.#take(command, { fence, handler });
    if (claimed.length === CLAIM_LIMIT) queueMicrotask(() => this.#loop.wake());
    return claimed.length > 0;
  }

  /** Where the host was given up meanwhile, it is there again with this claim. */
  async #claimUnderFence(): Promise<{ readonly fence: Fence; readonly claimed: readonly ClaimedCommand[] }> {
    const { registration, onProblem } = this.#parts;
    const { fence } = registration;
    try {
      return await this.#claimOnce(fence);
    } catch (thrown) {
      if (!isSemoError(thrown, 'lease_lost')) throw thrown;
      onProblem(thrown);
      await registration.registerAgain(fence, thrown);
      return this.#claimOnce(registration.fence);
    }
  }

  async #claimOnce(fence: Fence): Promise<{ readonly fence: Fence; readonly claimed: readonly ClaimedCommand[] }> {
    const { commands, leaseMs } = this.#parts;
    const held = this.#hasMissed ? this.held : undefined;
    this.#hasMissed = true;
    const claimed = await commands.claim(fence, { limit: CLAIM_LIMIT, leaseMs, held });
    this.#hasMissed = false;
    return { fence, claimed };
  }

  #take(
    command: ClaimedCommand,
    { fence, handler }: { readonly fence: Fence; readonly handler: CommandHandler },
  ): void {
    const work = async (): Promise<void> => {
      const result = await this.#carryOut(command, handler);
      const mayHaveMore = await this.#answer(command, { fence, result });
      if (this.#held.get(command.command_id)?.done === done) this.#held.delete(command.command_id);
      this.#parts.onAnswered();
      // The next of its lane can be claimed now.
      if (mayHaveMore) this.wake();
    };
    const done = work();
    const { lane, session_id: sessionId } = command;
    this.#held.set(command.command_id, { done, lane, sessionId });
  }

  async #carryOut(claimed: ClaimedCommand, handler: CommandHandler): Promise<CommandResult> {
    const { command_id: commandId, payload, requeued } = claimed;
    const command = { commandId, body: payload, ...(requeued > 0 ? { requeued } : {}) } as Command;
    const redelivery = redeliveryOf(claimed, (epoch) => this.#parts.registration.isOwn(epoch));
    if (redelivery === 'carry_out') return handler(command);
    if (redelivery === 'look_for_turn' && (await isSafe(command, handler))) return handler(command);
    return unknownDelivery();
  }

  /** Answers until the answer is taken, or is not wanted any more. Gives whether there may be something to claim. */
  async #answer(
    command: ClaimedCommand,
    { fence, result }: { readonly fence: Fence; readonly result: CommandResult },
  ): Promise<boolean> {
    const { commands, clock, onProblem } = this.#parts;
    const { signal } = this.#stopped;
    let answer = result;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const claims = this.#claims;
        const more = await commands.answer(fence, command, answer);
        // A claim beside it may have found the lane still at work.
        return more || claims !== this.#claims;
      } catch (thrown) {
        const error = SemoError.from(thrown);
        onProblem(error);
        if (error.code === 'lease_lost') {
          await this.#fenced(fence, error);
          return true;
        }
        // What the database cannot keep is answered by why. Any other refusal, of a token that is just over say, is not its fault.
        if (UNKEEPABLE.has(error.code)) answer = { success: false, error: errorToWire(error) };
        const ms = backoffMs(RETRY_PACE, { failures, chance: Math.random() });
        await sleep({ clock, ms, signal });
      }
    }
    return false;
  }

  /** Either this one command is somebody else's, or the host as a whole was given up; the details tell. */
  async #fenced(fence: Fence, error: SemoError): Promise<void> {
    if ('latestEpoch' in error.details) await this.#parts.registration.registerAgain(fence, error).catch(() => {});
  }

  #failed(error: SemoError): void {
    this.#parts.onProblem(error);
  }
}

/** Whether handing a prompt to the host cannot send it twice: the host knows its turn, or has nobody left to send it to. */
async function isSafe({ body }: Command, handler: CommandHandler): Promise<boolean> {
  if (body.kind !== 'send_prompt') return false;
  const { sessionId, turnId } = body;
  const turn = await handler({ commandId: newId('cmd'), body: { kind: 'get_turn', sessionId, turnId } });
  // Of a session that is not there the command itself says so.
  if (!turn.success) return turn.error.code === 'session_unknown';
  if (turn.result !== null) return true;
  const session = await handler({ commandId: newId('cmd'), body: { kind: 'get_session', sessionId } });
  return session.success && isGone(session.result);
}

function isGone(session: unknown): boolean {
  return session === null || sessionInfoSchema.safeParse(session).data?.status === 'terminated';
}
