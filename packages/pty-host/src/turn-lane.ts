import {
  SemoError,
  type Clock,
  type Evidence,
  type LinePattern,
  type ResolvedPromptOptions,
  type SessionEvents,
  type TurnInfo,
  type TranscriptFinding,
  type Words,
} from '@semo-office/core';

import type { AgentControl, Launch, LeftTurn } from './agent/agent-driver.ts';
import { deadline } from './deadline.ts';
import { linearPattern } from './linear-pattern.ts';
import { LiveTurn } from './live-turn.ts';
import type { TurnNote } from './readoption/session-notes.ts';
import type { SessionFacts } from './recovery/session-facts.ts';
import type { ProcessExit } from './terminal/terminal.ts';

/** An agent that has not come to rest this long after being interrupted gets the next prompt all the same. */
const INTERRUPT_TIMEOUT_MS = 15_000;
/** Turns of a session that can still be asked for. */
const REMEMBERED_TURNS = 100;

/** Verdicts after which the agent may still be at work: ours, and a milestone that was enough. */
export const LEAVES_AT_WORK: ReadonlySet<string> = new Set(['cancel', 'timeout', 'needs_input', 'milestone']);

/** What {@link TurnLane} needs of its session. */
export interface TurnLaneOptions {
  readonly sessionId: string;
  readonly agent: AgentControl;
  readonly monitor: Launch['monitor'];
  /** Writes down, for a host to come, what is about to be sent; awaited. */
  readonly onSending: (turn: TurnNote) => Promise<void>;
  /** Writes down how far each prompt has come. */
  readonly facts: Pick<SessionFacts, 'intent' | 'submitted' | 'refused'>;
  readonly clock: Clock;
  /** Aborts when the agent is gone or is to go. */
  readonly gone: AbortSignal;
  /** Where the output stands. */
  readonly outputEnd: () => number;
  /** Counts a prompt in; gives what counts it out again. @throws SemoError `session_exhausted`. */
  readonly count: () => () => void;
  readonly onTurn: (event: SessionEvents['turn']) => void;
  /** A turn has taken the lane, or the agent is at rest again. */
  readonly onOccupancy: () => void;
  /** The turn is over: questions it asked are too. */
  readonly onTurnOver: () => void;
  /** The error for a prompt that comes too late. */
  readonly tooLate: () => SemoError;
}

interface QueuedPrompt {
  readonly turnId: string;
  readonly prompt: string;
  readonly options: ResolvedPromptOptions;
  readonly patterns: readonly LinePattern[];
  readonly accepted: PromiseWithResolvers<LiveTurn>;
}

/** The turns of a session, one after the other: each prompt waits for the turn before it to end and the agent to rest. */
export class TurnLane {
  readonly #options: TurnLaneOptions;
  readonly #turns = new Map<string, Promise<LiveTurn>>();
  #tail: Promise<void> = Promise.resolve();
  /** Prompts that are on their way or wait. */
  #pending = 0;
  #current: { readonly turn: LiveTurn; readonly rested: PromiseWithResolvers<void> } | null = null;
  /** A program that answered by exiting before anyone asked; its first prompt gets that answer. */
  #earlyExit: ProcessExit | null = null;

  constructor(options: TurnLaneOptions) {
    this.#options = options;
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
    const accepted = Promise.withResolvers<LiveTurn>();
    const patterns = options.milestones.map(linearPattern);
    const turn = this.#begin({ turnId, prompt, options, patterns, accepted }, outputStart);
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

  async #run(queued: QueuedPrompt): Promise<void> {
    const { turnId, accepted } = queued;
    try {
      if (this.#earlyExit !== null) return accepted.resolve(await this.#answeredByExit(queued));
      if (this.#options.gone.aborted) throw this.#options.tooLate();
      const turn = this.#begin(queued, this.#outputStart());
      this.#occupy(turn);
      await this.#deliver(turn, queued);
      accepted.resolve(turn);
      await turn.ended;
      await this.#comeToRest(turn);
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
    await this.#comeToRest(turn).catch(() => undefined);
    this.#pending -= 1;
    this.#free();
  }

  /** What a program printed before its first prompt reached it belongs to its first answer. */
  #outputStart(): number {
    const isFirst = this.#turns.size === 1;
    return isFirst && this.#options.monitor.exitMeans === 'status' ? 0 : this.#options.outputEnd();
  }

  #begin({ turnId, prompt, options, patterns }: QueuedPrompt, outputStart: number): LiveTurn {
    const { sessionId, agent, monitor, clock, onTurn } = this.#options;
    const { timeoutMs, silenceMs, require, completeOn, endWithBackgroundTasks, onNeedsPerson, requests } = options;
    const turn: LiveTurn = new LiveTurn({
      turnId,
      sessionId,
      outputStart,
      prompt,
      clock,
      config: { ...monitor, timeoutMs, silenceMs, require, completeOn, endWithBackgroundTasks },
      requests,
      patterns,
      lateUsage: () => agent.lateUsage?.() ?? null,
      finalText: agent.finalText === undefined ? undefined : () => agent.finalText?.(outputStart) ?? '',
      onChange(event) {
        onTurn(event);
        if (event.change !== 'waiting' || onNeedsPerson === 'wait') return;
        turn.observe({ kind: 'stopped', at: clock.now(), by: 'needs_input' });
      },
    });
    return turn;
  }

  async #deliver(turn: LiveTurn, queued: QueuedPrompt): Promise<void> {
    const { agent, gone } = this.#options;
    const { prompt } = queued;
    const { endInput } = queued.options;
    const over = new AbortController();
    const signal = AbortSignal.any([gone, over.signal]);
    try {
      const { outputStart } = turn.info();
      const submitted = this.#writeDown(queued, outputStart).then(() =>
        // Cancelled meanwhile: nothing has left yet, and nothing will.
        turn.hasEnded ? undefined : agent.submit({ prompt, outputStart, endInput, signal }),
      );
      // A prompt that cannot be delivered has a deadline like any other, and can be cancelled.
      await Promise.race([submitted, turn.ended]);
      submitted.catch(() => undefined);
    } catch (error) {
      // An agent that died while taking the prompt has a verdict; one that refused it has had no turn.
      if (turn.isAccepted && turn.hasEnded) return;
      turn.abandon();
      throw error;
    } finally {
      over.abort();
    }
  }

  async #writeDown({ turnId, prompt, options }: QueuedPrompt, outputStart: number): Promise<void> {
    const { require } = options;
    await this.#options.onSending({ turnId, prompt, options, outputStart, sentAt: this.#options.outputEnd() });
    const conversationId = this.#options.agent.conversationId ?? null;
    await this.#options.facts.submitted({ turnId, prompt, require }, { outputStart, conversationId });
  }

  async #answeredByExit(queued: QueuedPrompt): Promise<LiveTurn> {
    await this.#writeDown(queued, 0);
    const exit = this.#earlyExit;
    this.#earlyExit = null;
    const turn = this.#begin(queued, 0);
    turn.observe({ kind: 'accepted', at: this.#now() });
    if (exit !== null) turn.observe({ kind: 'exit', at: this.#now(), ...exit });
    return turn;
  }

  /** After a turn that we ended, the agent may still be at work. */
  async #comeToRest(turn: LiveTurn): Promise<void> {
    const { agent, clock, gone, onTurnOver } = this.#options;
    onTurnOver();
    const { state } = turn.info();
    const ours = state.kind === 'ended' && LEAVES_AT_WORK.has(state.decidedBy);
    if (!ours || gone.aborted) return;
    using limit = deadline(clock, INTERRUPT_TIMEOUT_MS);
    await agent.interrupt(AbortSignal.any([gone, limit.signal]));
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
