import type { Cancel, Clock } from '../src/clock.ts';
import { SemoError } from '../src/errors.ts';
import type { EventHub } from '../src/event-hub.ts';
import { newId } from '../src/ids.ts';
import type { HumanRequest, ResolvedHumanAnswer } from '../src/session/human-request.ts';
import type { TerminalSize } from '../src/session/output.ts';
import type { SettledState } from '../src/session/request-record.ts';
import type { SessionLimit } from '../src/session/session-limits.ts';
import type { ResolvedSessionSpec, SessionInfo, SessionStatus } from '../src/session/session.ts';
import type { SessionEvents } from '../src/session/session-manager.ts';
import type { ResolvedPromptOptions, TurnInfo } from '../src/session/turn.ts';
import type { ResolvedAssignment } from '../src/session/workspace.ts';
import { ScriptedOutput } from './scripted-output.ts';
import { ScriptedTurn, type TurnStage } from './scripted-turn.ts';
import { ScriptedWorkspace } from './scripted-workspace.ts';

interface QueuedPrompt {
  readonly turnId: string;
  readonly prompt: string;
  readonly options: ResolvedPromptOptions;
  readonly accepted: PromiseWithResolvers<TurnInfo>;
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Nothing is started, so there is nothing to hold. */
const SCRIPTED_CONTAINMENT: SessionInfo['containment'] = {
  level: 'process_group',
  guarantees: {
    process: { kind: 'recognised', says: 'There is no process.' },
    files: { kind: 'user', says: 'No file is touched.' },
    network: { kind: 'host', says: 'Nothing is sent.' },
    credential: { kind: 'user', says: 'No secret is read.' },
  },
  recognisedBy: [],
  mayEscape: [],
};

/** What {@link ScriptedSession} is made from. */
export interface ScriptedSessionParts {
  readonly spec: ResolvedSessionSpec;
  readonly clock: Clock;
  readonly events: EventHub<SessionEvents>;
}

/** One session with a scripted agent. */
export class ScriptedSession {
  readonly spec: ResolvedSessionSpec;
  readonly output: ScriptedOutput;
  readonly requests = new Map<string, HumanRequest>();
  readonly #clock: Clock;
  readonly #events: EventHub<SessionEvents>;
  readonly #turns = new Map<string, ScriptedTurn>();
  readonly #createdAt: number;
  readonly #workspace: ScriptedWorkspace;
  #queue: QueuedPrompt[] = [];
  #running: { readonly turnId: string; readonly turn: ScriptedTurn } | null = null;
  #status: SessionStatus = 'creating';
  #exit: Exit | null = null;
  #lastActivityAt: number;
  #endedBy: SessionLimit | null = null;
  #cancelWall: Cancel = () => undefined;
  size: TerminalSize;

  constructor({ spec, clock, events }: ScriptedSessionParts) {
    this.spec = spec;
    this.size = spec.size;
    this.#workspace = new ScriptedWorkspace(spec);
    this.output = new ScriptedOutput(spec.maxOutputBytes);
    this.#clock = clock;
    this.#events = events;
    this.#createdAt = clock.now();
    this.#lastActivityAt = this.#createdAt;
  }

  start(): void {
    this.#setStatus('creating');
    this.#setStatus('ready');
    const { maxWallMs } = this.spec.limits ?? {};
    if (maxWallMs !== undefined) this.#cancelWall = this.#clock.schedule(maxWallMs, () => this.#endAtLimit('max_wall'));
  }

  info(): SessionInfo {
    const { spec, output } = this;
    const workspace = this.#workspace.info();
    return {
      sessionId: spec.sessionId,
      ...(spec.agentId === undefined ? {} : { agentId: spec.agentId }),
      ...(spec.owner === undefined ? {} : { owner: spec.owner }),
      worktreeId: workspace.branch ?? null,
      terminalId: this.#exit === null ? 'scripted' : null,
      status: this.#status,
      agent: { kind: spec.agent.kind, version: null },
      workspace,
      persona: null,
      containment: SCRIPTED_CONTAINMENT,
      turnId: this.#running?.turnId ?? null,
      createdAt: this.#createdAt,
      lastActivityAt: this.#lastActivityAt,
      output: { start: output.start, end: output.end },
      ...(this.#endedBy === null ? {} : { endedBy: this.#endedBy }),
      exit: this.#exit,
    };
  }

  turn(turnId: string): TurnInfo | null {
    return this.#turns.get(turnId)?.info() ?? null;
  }

  prompt(prompt: string, options: ResolvedPromptOptions): Promise<TurnInfo> {
    const turnId = options.turnId ?? newId('turn');
    const known = this.#turns.get(turnId);
    if (known !== undefined) return Promise.resolve(known.info());
    const queued = this.#queue.find((each) => each.turnId === turnId);
    if (queued !== undefined) return queued.accepted.promise;
    this.mustLive();
    this.#mustTakeTurns();
    const accepted = Promise.withResolvers<TurnInfo>();
    this.#queue.push({ turnId, prompt, options, accepted });
    this.#next();
    return accepted.promise;
  }

  /** What a terminal does with keys: it shows them. */
  type(text: string): void {
    this.mustLive();
    this.#print(text);
  }

  cancel(): void {
    this.#running?.turn.stop('cancel');
  }

  reset(): void {
    this.mustLive();
    this.#mustRest();
  }

  assign(assignment: ResolvedAssignment): SessionInfo {
    this.mustLive();
    this.#workspace.mustBeSlot();
    this.#mustRest();
    this.#workspace.assign(assignment);
    return this.info();
  }

  answer(requestId: string, answer: ResolvedHumanAnswer, by: string): void {
    const at = this.#clock.now();
    if (!this.#settle(requestId, { kind: 'answered', answer, by, at, givenAt: at })) return;
    this.#running?.turn.answer(answer);
  }

  terminate(): void {
    if (this.#exit !== null) return;
    this.#die({ code: null, signal: 'SIGTERM' }, () => {
      this.cancel();
    });
  }

  mustLive(): void {
    if (this.#exit === null) return;
    throw new SemoError('session_terminated', `Session ${this.spec.sessionId} has terminated. Create another one.`);
  }

  #mustRest(): void {
    if (this.#running === null) return;
    throw new SemoError('session_busy', 'A turn is running. Cancel it or wait for its end.');
  }

  #mustTakeTurns(): void {
    const { maxTurns } = this.spec.limits ?? {};
    if (maxTurns === undefined || this.#turns.size + this.#queue.length < maxTurns) return;
    throw new SemoError('session_exhausted', `The session takes ${maxTurns} prompts and no more. Create another one.`);
  }

  #endAtLimit(limit: SessionLimit): void {
    if (this.#exit !== null) return;
    this.#endedBy = limit;
    this.#die({ code: null, signal: 'SIGTERM' }, () => {
      this.#running?.turn.stop(limit === 'max_wall' ? 'session_timeout' : 'output_limit');
    });
  }

  #next(): void {
    if (this.#running !== null || this.#exit !== null) return;
    const queued = this.#queue.shift();
    if (queued === undefined) return;
    const { turnId, prompt, options, accepted } = queued;
    const turn = new ScriptedTurn(this.#stage(), { turnId, prompt, options, outputStart: this.output.end });
    this.#turns.set(turnId, turn);
    this.#running = { turnId, turn };
    this.#setStatus('executing');
    this.#tellTurn('started', turn.info());
    accepted.resolve(turn.info());
    void turn.run();
  }

  #stage(): TurnStage {
    return {
      sessionId: this.spec.sessionId,
      clock: this.#clock,
      print: (text) => this.#print(text),
      tell: (change, turn, forMs) => this.#tellTurn(change, turn, forMs),
      ask: (request) => {
        this.requests.set(request.requestId, request);
        this.#events.emit('request', { request, at: request.askedAt });
      },
      settle: (requestId, state) => {
        this.#settle(requestId, state);
      },
      dirty: () => this.#workspace.dirty(),
      crash: () => this.#crash(),
    };
  }

  #settle(requestId: string, state: SettledState): boolean {
    const request = this.requests.get(requestId);
    if (request === undefined) return false;
    this.requests.delete(requestId);
    this.#events.emit('request_settled', { request, state, at: state.at });
    return true;
  }

  #tellTurn(change: SessionEvents['turn']['change'], turn: TurnInfo, forMs?: number): void {
    this.#events.emit('turn', { sessionId: this.spec.sessionId, change, turn, forMs, at: this.#clock.now() });
    if (change === 'waiting') this.#setStatus('waiting_input');
    if (change === 'resumed') this.#setStatus('executing');
    if (change !== 'ended') return;
    this.#running = null;
    if (this.#exit !== null) return;
    this.#setStatus('ready');
    this.#next();
  }

  #crash(): void {
    this.#die({ code: 1, signal: null }, () => {
      this.#running?.turn.observe({ kind: 'exit', at: this.#clock.now(), code: 1, signal: null });
    });
  }

  #die(exit: Exit, endTurn: () => void): void {
    this.#exit = exit;
    this.#workspace.end();
    this.#cancelWall();
    endTurn();
    for (const { accepted } of this.#queue.splice(0)) {
      accepted.reject(new SemoError('session_terminated', 'The session terminated before the agent took this prompt.'));
    }
    this.#setStatus('terminated');
    this.#events.emit('exit', { sessionId: this.spec.sessionId, ...exit, at: this.#clock.now() });
  }

  #print(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const offset = this.output.end;
    this.output.append(bytes);
    this.#lastActivityAt = this.#clock.now();
    this.#events.emit('output', { sessionId: this.spec.sessionId, offset, bytes, at: this.#lastActivityAt });
    const { maxOutputTotalBytes } = this.spec.limits ?? {};
    if (maxOutputTotalBytes !== undefined && this.output.end > maxOutputTotalBytes) this.#endAtLimit('max_output');
  }

  #setStatus(status: SessionStatus): void {
    this.#status = status;
    this.#events.emit('status', { sessionId: this.spec.sessionId, status, at: this.#clock.now() });
  }
}
