import {
  SemoError,
  type Evidence,
  type ResolvedPromptOptions,
  type TurnInfo,
  type TranscriptFinding,
  type Words,
} from '@semo-office/core';

import type { LeftTurn } from './agent/agent-driver.ts';
import { linearPattern } from './linear-pattern.ts';
import type { LiveTurn } from './live-turn.ts';
import { PromptDelivery, type PromptDeliveryOptions, type QueuedPrompt } from './prompt-delivery.ts';
import type { SessionFacts } from './recovery/session-facts.ts';
import type { ProcessExit } from './terminal/terminal.ts';

/** Turns of a session that can still be asked for. */
const REMEMBERED_TURNS = 100;

/** What {@link TurnLane} needs of its session. */
export interface TurnLaneOptions extends PromptDeliveryOptions {
  readonly facts: Pick<SessionFacts, 'intent' | 'submitted' | 'refused' | 'written'>;
  /** Counts a prompt in; gives what counts it out again. @throws SemoError `session_exhausted`. */
  readonly count: () => () => void;
  /** A turn has taken the lane, or the agent is at rest again. */
  readonly onOccupancy: () => void;
  /** The error for a prompt that comes too late. */
  readonly tooLate: () => SemoError;
}

/** A prompt that waits its turn. */
interface WaitingPrompt extends QueuedPrompt {
  readonly accepted: PromiseWithResolvers<LiveTurn>;
}

/** The turns of a session, one after the other: each prompt waits for the turn before it to end and the agent to rest. */
export class TurnLane {
  readonly #options: TurnLaneOptions;
  readonly #delivery: PromptDelivery;
  readonly #turns = new Map<string, Promise<LiveTurn>>();
  #tail: Promise<void> = Promise.resolve();
  /** Prompts that are on their way or wait. */
  #pending = 0;
  #current: { readonly turn: LiveTurn; readonly rested: PromiseWithResolvers<void> } | null = null;
  /** A program that answered by exiting before anyone asked; its first prompt gets that answer. */
  #earlyExit: ProcessExit | null = null;

  constructor(options: TurnLaneOptions) {
    this.#options = options;
    this.#delivery = new PromptDelivery(options);
  }

  /** The turn that occupies the agent, from its prompt until the agent is at rest again. */
  get current(): LiveTurn | null {
    return this.#current?.turn ?? null;
  }

  /** Whether the answer to a prompt still to come is there already. */
  get hasAnswered(): boolean {
    return this.#earlyExit !== null;
  }

  /**
   * Delivers a prompt when its turn comes; the same turn id again is the same turn.
   *
   * @throws SemoError `session_exhausted`; `invalid_argument`: a milestone's pattern cannot run in linear time.
   */
  async send(turnId: string, prompt: string, options: ResolvedPromptOptions): Promise<TurnInfo> {
    const known = this.#turns.get(turnId);
    if (known !== undefined) return (await known).info();
    const patterns = options.milestones.map(linearPattern);
    const { gone, tooLate, count } = this.#options;
    if (gone.aborted && this.#earlyExit === null) throw tooLate();
    const countOut = count();
    const accepted = Promise.withResolvers<LiveTurn>();
    // Whoever sent it hears of a failure; the lane and the memory of turns need not.
    accepted.promise.catch(() => {
      countOut();
      this.#turns.delete(turnId);
    });
    this.#remember(turnId, accepted.promise);
    if (this.#pending > 0) this.#options.facts.intent({ turnId, prompt, require: options.require });
    this.#pending += 1;
    this.#tail = this.#tail.then(() => this.#run({ turnId, prompt, options, patterns, accepted }));
    return (await accepted.promise).info();
  }

  /**
   * Goes on with the turn of an agent that another host has left. Resolves with `null` when the turn goes on, and otherwise
   * with what is known of it: it is then no turn of this lane.
   * @throws SemoError of the agent's, when it cannot be gone on with.
   */
  async takeUp(
    left: Pick<QueuedPrompt, 'turnId' | 'prompt' | 'options'> & Pick<LeftTurn, 'outputStart' | 'acceptedAt'>,
    goOn: () => Promise<TranscriptFinding | null>,
  ): Promise<TranscriptFinding | null> {
    const { turnId, prompt, options, outputStart, acceptedAt } = left;
    const patterns = options.milestones.map(linearPattern);
    const turn = this.#delivery.begin({ turnId, prompt, options, patterns }, outputStart);
    this.#pending += 1;
    this.#occupy(turn);
    if (acceptedAt !== null) turn.observe({ kind: 'accepted', at: acceptedAt });
    let isOurs = false;
    try {
      const finding = await goOn();
      isOurs = finding === null || turn.hasEnded;
      if (!isOurs) return finding;
      this.#remember(turnId, Promise.resolve(turn));
      this.#tail = this.#restAfter(turn);
      return null;
    } finally {
      if (!isOurs) {
        turn.abandon();
        this.#pending -= 1;
        this.#free();
      }
    }
  }

  async find(turnId: string): Promise<LiveTurn | null> {
    return (await this.#turns.get(turnId)?.catch(() => null)) ?? null;
  }

  /** Tells the running turn of something; without one it goes unheard. */
  observe(evidence: Evidence): void {
    this.current?.observe(evidence);
  }

  /** Lets the running turn hear words; without one they go unheard. */
  hear(words: Words): void {
    this.current?.hear(words);
  }

  /** Ends the running turn as cancelled; resolves when the agent is at rest or gone. Prompts that wait go on waiting. */
  async cancel(): Promise<void> {
    const running = this.#current;
    if (running === null) return;
    running.turn.observe({ kind: 'stopped', at: this.#now(), by: 'cancel' });
    await running.rested.promise;
  }

  /** Does something between two turns. @throws SemoError `session_busy` while a turn runs. */
  async between(task: () => Promise<void>): Promise<void> {
    if (this.current !== null && !this.current.hasEnded) {
      throw new SemoError('session_busy', 'A turn is running. Wait for its end or cancel it first.');
    }
    const done = this.#tail.then(task);
    this.#tail = done.catch(() => undefined);
    await done;
  }

  /** The process has ended: the verdict of the running turn, or the answer to the first prompt still to come. */
  onExit(exit: ProcessExit, { asked }: { readonly asked: boolean }): void {
    const unasked = !asked && this.#turns.size === 0;
    if (this.#current === null && unasked && this.#options.monitor.exitMeans === 'status') this.#earlyExit = exit;
    this.observe({ kind: 'exit', at: this.#now(), ...exit });
  }

  async #run(queued: WaitingPrompt): Promise<void> {
    const { turnId, accepted } = queued;
    try {
      if (this.#earlyExit !== null) return accepted.resolve(await this.#answeredByExit(queued));
      if (this.#options.gone.aborted) throw this.#options.tooLate();
      const turn = this.#delivery.begin(queued, this.#outputStart());
      this.#occupy(turn);
      await this.#delivery.deliver(turn, queued);
      accepted.resolve(turn);
      await turn.ended;
      await this.#delivery.comeToRest(turn);
    } catch (thrown) {
      const error = SemoError.from(thrown);
      this.#options.facts.refused(turnId, error);
      accepted.reject(error);
    } finally {
      this.#pending -= 1;
      this.#free();
    }
  }

  async #restAfter(turn: LiveTurn): Promise<void> {
    await turn.ended;
    await this.#delivery.comeToRest(turn).catch(() => undefined);
    this.#pending -= 1;
    this.#free();
  }

  /** What a program printed before its first prompt reached it belongs to its first answer. */
  #outputStart(): number {
    const isFirst = this.#turns.size === 1;
    return isFirst && this.#options.monitor.exitMeans === 'status' ? 0 : this.#options.outputEnd();
  }

  async #answeredByExit(queued: QueuedPrompt): Promise<LiveTurn> {
    await this.#delivery.writeDown(queued, 0);
    const exit = this.#earlyExit;
    this.#earlyExit = null;
    const turn = this.#delivery.begin(queued, 0);
    turn.observe({ kind: 'accepted', at: this.#now() });
    if (exit !== null) turn.observe({ kind: 'exit', at: this.#now(), ...exit });
    return turn;
  }

  #occupy(turn: LiveTurn): void {
    this.#current = { turn, rested: Promise.withResolvers() };
    this.#options.onOccupancy();
  }

  #free(): void {
    const freed = this.#current;
    if (freed === null) return;
    this.#current = null;
    this.#options.onOccupancy();
    freed.rested.resolve();
  }

  #remember(turnId: string, turn: Promise<LiveTurn>): void {
    this.#turns.set(turnId, turn);
    const oldest = this.#turns.keys().next().value;
    if (this.#turns.size > REMEMBERED_TURNS && oldest !== undefined) this.#turns.delete(oldest);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
