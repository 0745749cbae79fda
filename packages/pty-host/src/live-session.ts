import {
  SemoError,
  type ResolvedPromptOptions,
  type SessionEvents,
  type SessionLimit,
  type SessionStatus,
  type TerminalSize,
  type TranscriptFinding,
  type TurnInfo,
} from '@semo-office/core';

import { agentIo } from './agent-io.ts';
import type { AgentControl, AgentIo } from './agent/agent-driver.ts';
import type { LeftSession, LiveSessionOptions } from './live-session-options.ts';
import { LiveOutput } from './live-output.ts';
import { LimitWatch } from './limit-watch.ts';
import { LiveStatus } from './live-state.ts';
import type { LiveTurn } from './live-turn.ts';
import { OutputFeed } from './output-feed.ts';
import { TakingUp } from './readoption/taking-up.ts';
import type { SessionAsker } from './requests/session-asker.ts';
import { ReadingGate } from './terminal/reading-gate.ts';
import type { ProcessExit, Terminal } from './terminal/terminal.ts';
import { openSessionAsker, openSessionLane } from './session-lane.ts';
import { openSessionTerminal } from './session-terminal.ts';
import { terminatedError } from './terminated-error.ts';
import type { TurnLane } from './turn-lane.ts';

/** One running agent: its terminal, its output, its lane of turns. */
export class LiveSession {
  readonly sessionId: string;
  readonly output: LiveOutput;
  readonly pid: number;
  readonly limits: LimitWatch;
  readonly #options: LiveSessionOptions;
  readonly #terminal: Terminal;
  readonly #agent: AgentControl;
  readonly #lane: TurnLane;
  readonly #asker: SessionAsker;
  /** What another host has left, until it is taken up. */
  readonly #left: TakingUp | null;
  readonly #exited = Promise.withResolvers<ProcessExit>();
  /** Aborts when the process is gone, or is asked to go. */
  readonly #gone = new AbortController();
  readonly #feed: OutputFeed;
  readonly #status: LiveStatus;

  constructor(options: LiveSessionOptions) {
    const { spec, launch, left } = options;
    this.#options = options;
    this.sessionId = spec.sessionId;
    this.#status = new LiveStatus(
      () => this.#lane.current,
      (status) => options.emit('status', { sessionId: this.sessionId, status, at: this.#now() }),
    );
    this.limits = new LimitWatch({
      limits: spec.limits,
      clock: options.clock,
      onReached: (limit) => this.#onLimit(limit),
    });
    const source = new ReadingGate({ pause: () => this.#terminal.pause(), resume: () => this.#terminal.resume() });
    this.output = new LiveOutput({
      maxBytes: spec.maxOutputBytes,
      size: left?.size ?? spec.size,
      withScreen: spec.screen,
      source,
      from: left?.output.start,
    });
    this.#feed = this.#openFeed();
    this.#terminal = openSessionTerminal(options, {
      onData: (bytes) => (this.#left === null ? this.#hear(bytes) : this.#left.take(bytes)),
      onErrorData: (bytes) => this.#agent.onErrorOutput?.(bytes, this.#feed.take(bytes)),
      onExit: (exit) => this.#onExit(exit),
    });
    this.pid = this.#terminal.pid;
    this.#agent = launch.attach(this.#io());
    const { output, limits } = this;
    const [agent, status, gone] = [this.#agent, this.#status, this.#gone.signal];
    this.#lane = openSessionLane(options, { agent, gone, output, limits, status });
    this.#asker = openSessionAsker(options, { agent, lane: this.#lane });
    this.#left = this.#takesUp(left);
  }

  get status(): SessionStatus {
    return this.#status.shown;
  }

  /** See `SessionInfo.hasAnswered`. */
  get hasAnswered(): boolean {
    return this.#lane.hasAnswered;
  }

  get conversationId(): string | null {
    return this.#agent.conversationId ?? null;
  }

  get lastActivityAt(): number {
    return this.#feed.lastAt;
  }

  get turnId(): string | null {
    return this.#lane.current?.turnId ?? null;
  }

  get exit(): ProcessExit | null {
    const { state } = this.#status;
    return 'exit' in state ? state.exit : null;
  }

  /** Resolves when the process is gone and its output is complete. */
  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  /** Waits until the agent can take a prompt. @throws SemoError `agent_start_failed`. */
  async becomeReady(signal: AbortSignal): Promise<void> {
    await this.#agent.ready(AbortSignal.any([signal, this.#gone.signal]));
    if (this.#status.state.kind !== 'creating') return;
    this.#status.enter({ kind: 'alive' });
    this.limits.begin();
  }

  /** Goes on with what another host has left; resolves with what is known of a turn that does not go on. */
  async takeUp(): Promise<TranscriptFinding | null> {
    const finding = (await this.#left?.done()) ?? null;
    if (this.#status.state.kind !== 'creating') return finding;
    this.#status.enter({ kind: 'alive' });
    const { left } = this.#options;
    const { createdAt: since, turn = null, turnsBefore = 0 } = left ?? {};
    this.limits.begin({ since, turns: turnsBefore + (turn === null ? 0 : 1) });
    return finding;
  }

  /** Delivers a prompt when its turn comes; the same turn id again is the same turn. */
  sendPrompt(turnId: string, prompt: string, options: ResolvedPromptOptions): Promise<TurnInfo> {
    return this.#lane.send(turnId, prompt, options);
  }

  turn(turnId: string): Promise<LiveTurn | null> {
    return this.#lane.find(turnId);
  }

  /** Types as if at the keyboard. @throws SemoError `session_terminated`, `not_supported`. */
  async type(text: string): Promise<void> {
    this.assertAlive();
    if (this.#options.launch.takesKeys === false) {
      throw new SemoError('not_supported', 'This agent has no keyboard: it takes prompts and answers only.');
    }
    await this.#terminal.write(text);
  }

  resize(size: TerminalSize): void {
    this.assertAlive();
    this.#terminal.resize(size);
    this.output.resize(size);
  }

  /** Ends the running turn as cancelled; resolves when the agent is at rest. */
  async cancel(): Promise<void> {
    this.assertAlive();
    await this.#lane.cancel();
  }

  /** Makes the agent forget the conversation. @throws SemoError `not_supported`, `session_busy`. */
  async reset(): Promise<void> {
    this.assertAlive();
    if (this.#agent.reset === undefined) {
      throw new SemoError('not_supported', 'This agent cannot forget its conversation; start a new session.');
    }
    await this.between(async () => this.#agent.reset?.(this.#gone.signal));
  }

  /** Does something between two turns. @throws SemoError `session_terminated`, `session_busy`. */
  async between(task: () => Promise<void>): Promise<void> {
    this.assertAlive();
    await this.#lane.between(task);
  }

  /** @throws SemoError `session_terminated`. */
  assertAlive(): void {
    if (this.#gone.signal.aborted) throw terminatedError(this.sessionId);
  }

  /** Asks the agent to leave by itself. */
  async leave(): Promise<void> {
    this.#options.requests.withdraw(this.sessionId, 'session_ended');
    this.#lane.observe({ kind: 'stopped', at: this.#now(), by: 'cancel' });
    this.#gone.abort();
    await this.#agent.leave();
  }

  /** Lets go of what could not be taken up; the agent goes on. */
  abandon(): void {
    this.limits.close();
    this.#left?.close();
    this.#gone.abort();
    this.#agent.onExit();
  }

  /** Nothing of the session lives any more. */
  finish(exit: ProcessExit): void {
    this.#terminal.close();
    this.#status.enter({ kind: 'terminated', exit });
    this.#options.emit('exit', { sessionId: this.sessionId, ...exit, at: this.#now() });
  }

  #openFeed(): OutputFeed {
    const { output, sessionId, limits } = this;
    const { emit } = this.#options;
    const tell = (event: SessionEvents['output']) => emit('output', event);
    return new OutputFeed({
      ...this.#options,
      sessionId,
      output,
      tell,
      onTotal: (bytes) => limits.printed(bytes),
    });
  }

  #takesUp(left: LeftSession | undefined): TakingUp | null {
    if (left === undefined) return null;
    const hear = this.#hear.bind(this);
    return new TakingUp({ left, lane: this.#lane, agent: this.#agent, gone: this.#gone.signal, hear });
  }

  #hear(bytes: Uint8Array, isOld = false): void {
    this.#agent.onOutput(bytes, this.#feed.take(bytes, isOld));
  }

  #onLimit(limit: SessionLimit): void {
    const by = limit === 'max_wall' ? 'session_timeout' : 'output_limit';
    this.#lane.observe({ kind: 'stopped', at: this.#now(), by });
    // At once: a prompt that waits must not reach the agent now.
    this.#gone.abort();
  }

  #onExit(exit: ProcessExit): void {
    this.limits.close();
    this.#left?.close();
    this.#feed.close();
    this.#agent.onExit();
    this.#options.requests.withdraw(this.sessionId, 'session_ended');
    const asked = this.#gone.signal.aborted;
    this.#lane.onExit(exit, { asked });
    this.#status.enter({ kind: 'gone', exit, asked });
    this.#gone.abort();
    this.#exited.resolve(exit);
  }

  #io(): AgentIo {
    return agentIo({
      ...this.#options,
      sessionId: this.sessionId,
      terminal: this.#terminal,
      output: this.output,
      lane: () => this.#lane,
      asker: () => this.#asker,
    });
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
