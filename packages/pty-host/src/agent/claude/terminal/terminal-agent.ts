import { SemoError, type TranscriptFinding, type TurnUsage } from '@semo-office/core';

import { deadline } from '../../../deadline.ts';
import type { AgentControl, AgentIo, LeftAgent, Submission } from '../../agent-driver.ts';
import type { ClaudeConversation } from '../conversation/conversations.ts';
import { ClaudeBox } from './box.ts';
import { ClaudeDelivery, type DeliveryVerdict } from './delivery.ts';
import { checkPasteable } from './paste.ts';
import { patienceWith } from './patience.ts';
import { ClaudeRest } from './rest.ts';
import { ClaudeLeftTurn } from './left-turn.ts';
import { ClaudeTurnHooks, type TurnHook } from './turn-hooks.ts';

/** A prompt that is not taken within this long never will be. A loaded machine takes seconds. */
const ACCEPT_TIMEOUT_MS = 60_000;
/**
 * How long the agent is given, after each offer of a prompt to a box that had something else in it, to put that back into the
 * box: at the end of the last one the prompt is given up. A loaded machine takes longer than it seems at rest.
 */
const BETWEEN_OFFERS_MS = [0, 0, 300, 1000, 3000] as const;
/** How long to wait for rest where it only helps: before leaving, and before the box is emptied. */
const REST_PATIENCE_MS = 2000;

/** Why a conversation ends while the agent goes on with another. */
const LEAVES_CONVERSATION: ReadonlySet<unknown> = new Set(['clear', 'resume']);

/** What a {@link ClaudeAgent} is given. */
export interface ClaudeAgentOptions {
  /** Where Claude Code says what it is doing. */
  readonly statusFolder: string;
  /** Resolves when the agent is known to keep to its scope; `null` where it has none. */
  readonly proof: Promise<void> | null;
  /** The conversation it begins with; it hears of another that takes its place. */
  readonly conversation: Pick<ClaudeConversation, 'id' | 'moveTo' | 'transcripts'>;
}

/** A running Claude Code in a terminal. */
export class ClaudeAgent implements AgentControl {
  readonly #options: ClaudeAgentOptions;
  readonly #delivery = new ClaudeDelivery();
  #io!: AgentIo;
  #box!: ClaudeBox;
  #rest!: ClaudeRest;
  #hooks!: ClaudeTurnHooks;
  #conversationId: string | null;
  readonly #takenUp = Promise.withResolvers<void>();

  constructor(options: ClaudeAgentOptions) {
    this.#options = options;
    this.#conversationId = options.conversation.id;
  }

  get conversationId(): string | null {
    return this.#conversationId;
  }

  attach(io: AgentIo): void {
    this.#io = io;
    this.#box = new ClaudeBox(io);
    const { statusFolder } = this.#options;
    this.#rest = new ClaudeRest({ io, statusFolder, isQuiet: () => this.#box.isQuiet() });
    this.#hooks = new ClaudeTurnHooks({ io, delivery: this.#delivery, rest: this.#rest });
  }

  async ready(signal: AbortSignal): Promise<void> {
    await this.#box.painted(signal);
    // The canary runs beside the start. That the settings of this very session were loaded, with the guard in them, is
    // known before the model is asked anything: its prompts are accepted by a hook of the same file.
    await this.#options.proof;
  }

  /** Resolves when it is known at which turn an agent is that another host has left, or when it is gone. */
  get takenUp(): Promise<void> {
    return this.#takenUp.promise;
  }

  async takeUp({ turn, wasInterrupted, caughtUp, signal }: LeftAgent): Promise<TranscriptFinding | null> {
    const { conversation } = this.#options;
    if (turn === null) {
      this.#takenUp.resolve();
      await caughtUp;
      this.#hooks.takenUp();
      if (wasInterrupted) this.#rest.takenUpInterrupted();
      return null;
    }
    const left = new ClaudeLeftTurn({
      turn,
      conversation: { id: conversation.id, transcripts: conversation.transcripts },
      clock: this.#io.clock,
      delivery: this.#delivery,
      hooks: this.#hooks,
      rest: this.#rest,
    });
    this.#takenUp.resolve();
    const finding = await left.settle(signal);
    await caughtUp;
    if (finding !== null) {
      this.#hooks.turnGone();
      await this.#box.clear();
    }
    return finding;
  }

  onOutput(bytes: Uint8Array): void {
    this.#box.onOutput(bytes);
    this.#rest.onOutput(bytes);
    this.#io.report({ kind: 'activity', at: this.#io.clock.now() });
  }

  async submit({ prompt, signal }: Submission): Promise<void> {
    if (this.#hooks.mayWake) await this.#restFor(signal);
    await this.#rest.interruptedRests(signal);
    await this.#hooks.limitDeclined(signal);
    this.#hooks.promptSent();
    checkPasteable(prompt);
    for (const ms of BETWEEN_OFFERS_MS) {
      if ((await this.#offer(prompt, signal)) === 'accepted') return;
      // Something was in the box, from a person or an interrupted prompt. The hook kept it from the model, and the CLI
      // puts it back into the box when it has come to rest.
      await this.#restFor(signal);
      await this.#pause(ms, signal);
      await this.#box.clear();
    }
    throw new SemoError(
      'prompt_not_accepted',
      `The agent got another text than was sent, ${BETWEEN_OFFERS_MS.length} times. Nothing reached the model. Look at the screen with getOutput({ as: "screen" }).`,
    );
  }

  async interrupt(signal: AbortSignal): Promise<void> {
    this.#hooks.turnGone();
    if (this.#delivery.isOffered) {
      // There is nothing to interrupt yet, and an Escape would only open a menu.
      this.#delivery.withdraw();
      await this.#rest.wait(signal);
    } else {
      this.#delivery.forget();
      await this.#rest.reach(signal);
    }
    // Before the first token an interrupted prompt comes back into the box.
    await this.#box.clear();
  }

  async reset(signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#hooks.listenForConversationEnd(ended.resolve);
    const giveUp = patienceWith(this.#io, { timeoutMs: ACCEPT_TIMEOUT_MS, signal });
    try {
      await this.#box.command('/clear');
      await Promise.race([ended.promise, giveUp.promise]);
      await this.#box.settled();
    } finally {
      this.#hooks.listenForConversationEnd(null);
      giveUp.cancel();
    }
  }

  lateUsage(): Promise<TurnUsage | null> | null {
    return this.#hooks.lateUsage();
  }

  async leave(): Promise<void> {
    try {
      // While it works, what is typed would only be queued.
      using limit = deadline(this.#io.clock, REST_PATIENCE_MS);
      if (this.#delivery.isAccepted) await this.#rest.reach(limit.signal);
      // An Escape in the middle of the command would take it back.
      await this.#hooks.limitDeclined(limit.signal);
      await this.#box.clear();
      await this.#box.command('/exit');
    } catch {
      // Gone already; the ladder looks for itself.
    }
  }

  onExit(): void {
    this.#takenUp.resolve();
    this.#hooks.agentGone();
    this.#box.close();
  }

  /** What the agent tells through its hooks. */
  async onHook(input: TurnHook, withdrawn: AbortSignal): Promise<object> {
    this.#follow(input);
    return this.#hooks.onHook(input, withdrawn);
  }

  /** Until the agent tells the next one's id, that is not known: the one before will not have the next prompt. */
  #follow(input: TurnHook): void {
    const isLeft = input.hook_event_name === 'SessionEnd' && LEAVES_CONVERSATION.has(input.reason);
    const id = isLeft ? null : (input.session_id ?? this.#conversationId);
    if (id === this.#conversationId) return;
    this.#conversationId = id;
    if (id !== null) this.#options.conversation.moveTo(id);
  }

  async #restFor(signal: AbortSignal): Promise<void> {
    using limit = deadline(this.#io.clock, REST_PATIENCE_MS);
    await this.#rest.wait(AbortSignal.any([signal, limit.signal]));
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const cancel = this.#io.clock.schedule(ms, resolve);
      signal.addEventListener('abort', () => (cancel(), resolve()), { once: true });
    });
  }

  async #offer(prompt: string, signal: AbortSignal): Promise<DeliveryVerdict> {
    const verdict = this.#delivery.offer(prompt);
    this.#rest.promptOffered();
    const giveUp = patienceWith(this.#io, { timeoutMs: ACCEPT_TIMEOUT_MS, signal });
    const pressing = this.#box.paste(prompt, {
      verdict: verdict.promise,
      beforeAgain: () => this.#rest.stopLateWork(),
    });
    try {
      return await Promise.race([verdict.promise, giveUp.promise, pressing.then(() => verdict.promise)]);
    } finally {
      giveUp.cancel();
      // Whatever came of it, Enter is not pressed on it any more.
      verdict.resolve('garbled');
    }
  }
}
