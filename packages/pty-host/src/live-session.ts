import {
  SemoError,
  type ResolvedPromptOptions,
  type SessionLimit,
  type SessionStatus,
  type TerminalSize,
  type TurnInfo,
} from '@semo-office/core';

import { agentIo } from './agent-io.ts';
import type { AgentControl, AgentIo } from './agent/agent-driver.ts';
import { withoutKnownSecrets } from './agent/known-secrets.ts';
import type { LiveSessionOptions } from './live-session-options.ts';
import { LiveOutput } from './live-output.ts';
import { LimitWatch } from './limit-watch.ts';
import { LiveStatus } from './live-state.ts';
import type { LiveTurn } from './live-turn.ts';
import { OutputFeed } from './output-feed.ts';
import { SessionAsker } from './requests/session-asker.ts';
import { ReadingGate } from './terminal/reading-gate.ts';
import type { ProcessExit, Terminal } from './terminal/terminal.ts';
import { terminatedError } from './terminated-error.ts';
import { TurnLane } from './turn-lane.ts';

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
  readonly #exited = Promise.withResolvers<ProcessExit>();
  /** Aborts when the process is gone, or is asked to go. */
  readonly #gone = new AbortController();
  readonly #feed: OutputFeed;
  readonly #status: LiveStatus;

  constructor(options: LiveSessionOptions) {
    const { spec, launch, open } = options;
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
    this.output = new LiveOutput({ maxBytes: spec.maxOutputBytes, size: spec.size, withScreen: spec.screen, source });
    this.#feed = this.#openFeed();
    this.#terminal = open({
      command: options.start.command,
      cwd: options.folder,
      env: launch.env,
      size: spec.size,
      onData: (bytes) => this.#agent.onOutput(bytes, this.#feed.take(bytes)),
      onErrorData:
        launch.errorsApart === true ? (bytes) => this.#agent.onErrorOutput?.(bytes, this.#feed.take(bytes)) : undefined,
      onExit: (exit) => {
        const told = options.start.readExit(exit);
        this.#onExit(launch.readExit?.(told) ?? told);
      },
    });
    this.pid = this.#terminal.pid;
    const { secrets } = launch;
    this.#agent = launch.attach(secrets === undefined ? this.#io() : withoutKnownSecrets(this.#io(), secrets));
    this.#lane = this.#openLane();
    this.#asker = this.#openAsker();
  }

  get status(): SessionStatus {
    return this.#status.shown;
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

  /** Nothing of the session lives any more. */
  finish(exit: ProcessExit): void {
    this.#terminal.close();
    this.#status.enter({ kind: 'terminated', exit });
    this.#options.emit('exit', { sessionId: this.sessionId, ...exit, at: this.#now() });
  }

  #openFeed(): OutputFeed {
    const { clock, emit, isHeard } = this.#options;
    return new OutputFeed({
      sessionId: this.sessionId,
      output: this.output,
      clock,
      isHeard,
      tell: (event) => emit('output', event),
      onTotal: (bytes) => this.limits.printed(bytes),
    });
  }

  #openLane(): TurnLane {
    const { launch, clock, emit, requests, facts } = this.#options;
    return new TurnLane({
      sessionId: this.sessionId,
      agent: this.#agent,
      monitor: launch.monitor,
      facts,
      clock,
      gone: this.#gone.signal,
      outputEnd: () => this.output.log.end,
      count: () => this.limits.countTurn(),
      onTurn: (event) => {
        facts.onTurn(event, this.conversationId);
        emit('turn', event);
        this.#status.look();
      },
      onOccupancy: () => this.#status.look(),
      onTurnOver: () => requests.withdraw(this.sessionId, 'turn_over'),
      tooLate: () => terminatedError(this.sessionId),
    });
  }

  #openAsker(): SessionAsker {
    const { launch, clock, emit, requests } = this.#options;
    return new SessionAsker({
      sessionId: this.sessionId,
      requests,
      clock,
      turn: () => this.#lane.current,
      keptConversation: () => (launch.keepsConversation === true ? this.conversationId : null),
      onRequest: (event) => emit('request', event),
    });
  }

  #onLimit(limit: SessionLimit): void {
    const by = limit === 'max_wall' ? 'session_timeout' : 'output_limit';
    this.#lane.observe({ kind: 'stopped', at: this.#now(), by });
    // At once: a prompt that waits must not reach the agent now.
    this.#gone.abort();
  }

  #onExit(exit: ProcessExit): void {
    this.limits.close();
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
    const { clock, onReport, start } = this.#options;
    return agentIo({
      sessionId: this.sessionId,
      terminal: this.#terminal,
      pidInside: start.pidInside,
      output: this.output,
      clock,
      lane: () => this.#lane,
      asker: () => this.#asker,
      onReport,
    });
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
