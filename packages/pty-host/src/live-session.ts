import {
  SemoError,
  assertNever,
  type Clock,
  type HumanAnswer,
  type HumanRequest,
  type ResolvedPromptOptions,
  type ResolvedSessionSpec,
  type SessionEventName,
  type SessionEvents,
  type SessionStatus,
  type TerminalSize,
  type TurnInfo,
} from '@semo-office/core';

import type { AgentControl, AgentIo, Launch } from './agent/agent-driver.ts';
import { deadline } from './deadline.ts';
import type { HumanRequests } from './human-requests.ts';
import { LiveOutput } from './live-output.ts';
import { LiveTurn } from './live-turn.ts';
import { sendSignal } from './process/process-table.ts';
import type { OpenTerminal, ProcessExit, Terminal } from './terminal/terminal.ts';

/** An agent that has not come to rest this long after being interrupted is let go of as broken. */
const INTERRUPT_TIMEOUT_MS = 15_000;
/** Turns of a session that can still be asked for. */
const REMEMBERED_TURNS = 1000;

type LiveState =
  | { readonly kind: 'creating' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'executing'; readonly turn: LiveTurn }
  /** The process is gone, its remains are not yet: by itself, or because it was asked to leave. */
  | { readonly kind: 'gone'; readonly exit: ProcessExit; readonly asked: boolean }
  | { readonly kind: 'terminated'; readonly exit: ProcessExit };

/** What a {@link LiveSession} is made of. */
export interface LiveSessionOptions {
  readonly spec: ResolvedSessionSpec;
  readonly folder: string;
  readonly launch: Launch;
  /** What is really started: the launch's command, branded. */
  readonly command: readonly string[];
  readonly open: OpenTerminal;
  readonly requests: HumanRequests;
  readonly clock: Clock;
  readonly emit: <Name extends SessionEventName>(name: Name, event: SessionEvents[Name]) => void;
  /** Whether anybody listens to output. */
  readonly isHeard: () => boolean;
}

/** One running agent: its terminal, its output, its turns one after the other. */
export class LiveSession {
  readonly sessionId: string;
  readonly output: LiveOutput;
  readonly pid: number;
  readonly #options: LiveSessionOptions;
  readonly #terminal: Terminal;
  readonly #agent: AgentControl;
  readonly #turns = new Map<string, Promise<LiveTurn>>();
  readonly #exited = Promise.withResolvers<ProcessExit>();
  readonly #gone = new AbortController();
  #state: LiveState = { kind: 'creating' };
  #status: SessionStatus = 'creating';
  /** The turn lane: each prompt waits for the one before it to end and the agent to be at rest. */
  #lane: Promise<void> = Promise.resolve();
  #lastActivityAt: number;
  /** A program that answered by exiting before anyone asked; its first prompt gets that answer. */
  #earlyExit: ProcessExit | null = null;

  constructor(options: LiveSessionOptions) {
    const { spec, launch, open, clock } = options;
    this.#options = options;
    this.sessionId = spec.sessionId;
    this.#lastActivityAt = clock.now();
    const source = { pause: () => this.#terminal.pause(), resume: () => this.#terminal.resume() };
    this.output = new LiveOutput({ maxBytes: spec.maxOutputBytes, size: spec.size, withScreen: spec.screen, source });
    this.#terminal = open({
      command: options.command,
      cwd: options.folder,
      env: launch.env,
      size: spec.size,
      onData: (bytes) => this.#onData(bytes),
      onExit: (exit) => this.#onExit(exit),
    });
    this.pid = this.#terminal.pid;
    this.#agent = launch.attach(this.#io());
  }

  get status(): SessionStatus {
    return this.#status;
  }

  get lastActivityAt(): number {
    return this.#lastActivityAt;
  }

  get turnId(): string | null {
    return this.#state.kind === 'executing' ? this.#state.turn.turnId : null;
  }

  get exit(): ProcessExit | null {
    return 'exit' in this.#state ? this.#state.exit : null;
  }

  /** Resolves when the process is gone and its output is complete. */
  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  /** Waits until the agent can take a prompt. @throws SemoError `agent_start_failed`. */
  async becomeReady(signal: AbortSignal): Promise<void> {
    await this.#agent.ready(AbortSignal.any([signal, this.#gone.signal]));
    if (this.#state.kind === 'creating') this.#enter({ kind: 'ready' });
  }

  /** Delivers a prompt when its turn comes; the same turn id again is the same turn. */
  async sendPrompt(turnId: string, prompt: string, options: ResolvedPromptOptions): Promise<TurnInfo> {
    const known = this.#turns.get(turnId);
    if (known !== undefined) return (await known).info();
    const accepted = Promise.withResolvers<LiveTurn>();
    // Whoever sent it hears of a failure; the lane and the memory of turns need not.
    accepted.promise.catch(() => this.#turns.delete(turnId));
    this.#remember(turnId, accepted.promise);
    this.#lane = this.#lane.then(() => this.#runTurn({ turnId, prompt, options, accepted }));
    return (await accepted.promise).info();
  }

  async turn(turnId: string): Promise<LiveTurn | null> {
    return (await this.#turns.get(turnId)?.catch(() => null)) ?? null;
  }

  /** Types as if at the keyboard. @throws SemoError `session_terminated`. */
  async type(text: string): Promise<void> {
    this.#assertAlive();
    await this.#terminal.write(text);
  }

  resize(size: TerminalSize): void {
    this.#assertAlive();
    this.#terminal.resize(size);
    this.output.resize(size);
  }

  /** Ends the running turn as cancelled; resolves when the agent is at rest. */
  async cancel(): Promise<void> {
    this.#assertAlive();
    if (this.#state.kind !== 'executing') return;
    const { turn } = this.#state;
    turn.observe({ kind: 'stopped', at: this.#now(), by: 'cancel' });
    const rest = this.#lane;
    await Promise.race([rest, this.exited]);
  }

  /** Makes the agent forget the conversation. @throws SemoError `not_supported`, `session_busy`. */
  async reset(): Promise<void> {
    this.#assertAlive();
    if (this.#agent.reset === undefined)
      throw new SemoError('not_supported', 'This agent cannot forget its conversation; start a new session.');
    if (this.#state.kind === 'executing' && !this.#state.turn.hasEnded)
      throw new SemoError('session_busy', 'A turn is running. Wait for its end or cancel it, then reset.');
    const done = this.#lane.then(() => this.#agent.reset?.(this.#gone.signal));
    this.#lane = done.catch(() => undefined);
    await done;
  }

  /** Asks the agent to leave by itself. */
  async leave(): Promise<void> {
    if (this.#state.kind === 'executing') this.#state.turn.observe({ kind: 'stopped', at: this.#now(), by: 'cancel' });
    this.#gone.abort();
    await this.#agent.leave();
  }

  /** Nothing of the session lives any more. */
  finish(exit: ProcessExit): void {
    this.#terminal.close();
    this.#enter({ kind: 'terminated', exit });
    this.#options.emit('exit', { sessionId: this.sessionId, ...exit, at: this.#now() });
  }

  async #runTurn({ turnId, prompt, options, accepted }: QueuedPrompt): Promise<void> {
    try {
      const turn = this.#begin(turnId, options);
      if (this.#earlyExit !== null) this.#answerByExit(turn, this.#earlyExit);
      else await this.#deliver(turn, { prompt, options });
      accepted.resolve(turn);
      await turn.ended;
      await this.#comeToRest(turn);
    } catch (error) {
      accepted.reject(SemoError.from(error));
    } finally {
      if (this.#state.kind === 'executing') this.#enter({ kind: 'ready' });
    }
  }

  #begin(turnId: string, options: ResolvedPromptOptions): LiveTurn {
    if (this.#earlyExit === null) this.#assertAlive();
    const { launch, clock } = this.#options;
    const outputStart = this.#earlyExit === null ? this.output.log.end : 0;
    const { timeoutMs, silenceMs, require } = options;
    const turn = new LiveTurn({
      turnId,
      sessionId: this.sessionId,
      outputStart,
      clock,
      config: { ...launch.monitor, timeoutMs, silenceMs, require },
      finalText: this.#agent.finalText === undefined ? undefined : () => this.#agent.finalText?.(outputStart) ?? '',
      onChange: (event) => {
        this.#onTurnChange(event, options);
      },
    });
    if (this.#earlyExit === null) this.#enter({ kind: 'executing', turn });
    return turn;
  }

  async #deliver(turn: LiveTurn, { prompt, options }: Pick<QueuedPrompt, 'prompt' | 'options'>): Promise<void> {
    const { outputStart } = turn.info();
    try {
      await this.#agent.submit({ prompt, outputStart, endInput: options.endInput, signal: this.#gone.signal });
    } catch (error) {
      // An agent that died while taking the prompt has a verdict; one that refused it has had no turn.
      if (turn.isAccepted && turn.hasEnded) return;
      turn.abandon();
      throw error;
    }
  }

  #answerByExit(turn: LiveTurn, exit: ProcessExit): void {
    this.#earlyExit = null;
    turn.observe({ kind: 'accepted', at: this.#now() });
    turn.observe({ kind: 'exit', at: this.#now(), ...exit });
  }

  /** After a turn that we ended, the agent may still be at work. */
  async #comeToRest(turn: LiveTurn): Promise<void> {
    this.#options.requests.withdraw({ sessionId: this.sessionId });
    const { state } = turn.info();
    if (state.kind !== 'ended' || this.#gone.signal.aborted) return;
    const oursToStop =
      state.decidedBy === 'cancel' || state.decidedBy === 'timeout' || state.decidedBy === 'needs_input';
    if (!oursToStop) return;
    using limit = deadline(this.#options.clock, INTERRUPT_TIMEOUT_MS);
    await this.#agent.interrupt(AbortSignal.any([this.#gone.signal, limit.signal]));
  }

  #onTurnChange(event: SessionEvents['turn'], options: ResolvedPromptOptions): void {
    this.#options.emit('turn', event);
    this.#tellStatus();
    if (event.change === 'waiting' && options.onNeedsPerson === 'interrupt' && this.#state.kind === 'executing') {
      this.#state.turn.observe({ kind: 'stopped', at: this.#now(), by: 'needs_input' });
    }
  }

  async #ask(
    question: Pick<HumanRequest, 'kind' | 'tool' | 'input'>,
    withdrawn: AbortSignal,
  ): Promise<HumanAnswer | null> {
    if (this.#state.kind !== 'executing' || this.#state.turn.hasEnded) return null;
    const { turn } = this.#state;
    const { requests, emit } = this.#options;
    const { request, answer } = requests.open({ ...question, sessionId: this.sessionId, turnId: turn.turnId });
    const { requestId } = request;
    withdrawn.addEventListener('abort', () => {
      requests.withdraw({ requestId });
    });
    emit('request', { request, at: request.askedAt });
    turn.observe({ kind: 'waiting', at: request.askedAt, for: request.kind, requestId });
    const said = await answer;
    turn.observe({ kind: 'answered', at: this.#now(), requestId });
    return said;
  }

  #onData(bytes: Uint8Array): void {
    const offset = this.output.log.end;
    this.output.append(bytes);
    this.#lastActivityAt = this.#now();
    if (this.#options.isHeard()) this.#tellOutput();
    else this.output.skipUntold();
    this.#agent.onOutput(bytes, offset);
  }

  #tellOutput(): void {
    const piece = this.output.untold();
    if (piece !== null) this.#options.emit('output', { sessionId: this.sessionId, ...piece, at: this.#lastActivityAt });
  }

  #onExit(exit: ProcessExit): void {
    this.output.close();
    if (this.#options.isHeard()) this.#tellOutput();
    this.#agent.onExit();
    if (this.#state.kind === 'executing') this.#state.turn.observe({ kind: 'exit', at: this.#now(), ...exit });
    const asked = this.#gone.signal.aborted;
    if (!asked && this.#options.launch.monitor.exitMeans === 'status' && this.#turns.size === 0) this.#earlyExit = exit;
    this.#enter({ kind: 'gone', exit, asked });
    this.#gone.abort();
    this.#exited.resolve(exit);
  }

  #io(): AgentIo {
    return {
      pid: this.pid,
      clock: this.#options.clock,
      write: (bytes) => this.#terminal.write(bytes),
      endInput: () => this.#terminal.endInput(),
      signal: (signal) => sendSignal(-this.pid, signal),
      device: this.#terminal.device,
      report: (evidence) => {
        if (this.#state.kind === 'executing') this.#state.turn.observe(evidence);
      },
      ask: (question, withdrawn) => this.#ask(question, withdrawn),
      lastWords: () => this.output.lastWords(),
      textSince: (offset) => this.output.textSince(offset),
    };
  }

  #remember(turnId: string, turn: Promise<LiveTurn>): void {
    this.#turns.set(turnId, turn);
    const oldest = this.#turns.keys().next().value;
    if (this.#turns.size > REMEMBERED_TURNS && oldest !== undefined) this.#turns.delete(oldest);
  }

  #enter(state: LiveState): void {
    // What is gone stays gone, whatever the lane still has to say.
    if (this.#state.kind === 'terminated' || (this.#state.kind === 'gone' && state.kind !== 'terminated')) return;
    this.#state = state;
    this.#tellStatus();
  }

  #tellStatus(): void {
    const status = statusOf(this.#state);
    if (status === null || status === this.#status) return;
    this.#status = status;
    this.#options.emit('status', { sessionId: this.sessionId, status, at: this.#now() });
  }

  #assertAlive(): void {
    if (this.#state.kind === 'gone' || this.#state.kind === 'terminated' || this.#gone.signal.aborted)
      throw terminatedError(this.sessionId);
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

interface QueuedPrompt {
  readonly turnId: string;
  readonly prompt: string;
  readonly options: ResolvedPromptOptions;
  readonly accepted: PromiseWithResolvers<LiveTurn>;
}

/** The status that a state shows; `null` where the one before still holds. */
function statusOf(state: LiveState): SessionStatus | null {
  switch (state.kind) {
    case 'executing':
      return state.turn.isWaiting ? 'waiting_input' : 'executing';
    case 'creating':
    case 'ready':
    case 'terminated':
      return state.kind;
    case 'gone':
      return state.asked ? null : 'error';
    default:
      return assertNever(state);
  }
}

/** The error for anything asked of a session whose agent is gone. */
export function terminatedError(sessionId: string): SemoError {
  return new SemoError(
    'session_terminated',
    `Session ${sessionId} has terminated. Create a new one; its output can still be read.`,
  );
}
