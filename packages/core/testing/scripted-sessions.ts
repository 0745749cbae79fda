import { z } from 'zod';

import { systemClock, type Clock } from '../src/clock.ts';
import { SemoError } from '../src/errors.ts';
import { EventHub } from '../src/event-hub.ts';
import { parseEdge } from '../src/parse-edge.ts';
import { answererSchema, humanAnswerSchema, type HumanAnswer, type OpenRequest } from '../src/session/human-request.ts';
import { encodeKey, keySchema, type Key } from '../src/session/keys.ts';
import { terminalSizeSchema, type OutputRange, type OutputSlice, type TerminalSize } from '../src/session/output.ts';
import { checkPrompt } from '../src/session/prompt.ts';
import { sessionSpecSchema, type SessionInfo, type SessionSpec, type SessionStatus } from '../src/session/session.ts';
import type {
  CallOptions,
  SessionEventName,
  SessionEvents,
  SessionManager,
  Unsubscribe,
} from '../src/session/session-manager.ts';
import { promptOptionsSchema, type PromptOptions, type TurnInfo } from '../src/session/turn.ts';
import { assignmentSchema, type Assignment } from '../src/session/workspace.ts';
import { ScriptedSession } from './scripted-session.ts';

/** Options of {@link createScriptedSessions}. */
export interface ScriptedSessionsOptions {
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
}

/**
 * Sessions in memory whose agents do what their prompts say; see `parseScript` for the words they know. Nothing is
 * started and no folder is touched. It honours the whole port, so whatever stands on sessions can be tested with it.
 *
 * @example
 * ```ts
 * const sessions = createScriptedSessions();
 * await sessions.create({ sessionId: 'a', agent: { kind: 'command', command: ['scripted'] }, workspace: { kind: 'path', path: '/' } });
 * const { turnId } = await sessions.sendPrompt('a', 'say: hello');
 * const turn = await sessions.waitForTurn('a', turnId); // turn.text === 'hello'
 * ```
 */
export function createScriptedSessions(options: ScriptedSessionsOptions = {}): SessionManager {
  return new ScriptedSessions(options.clock ?? systemClock);
}

class ScriptedSessions implements SessionManager {
  readonly #clock: Clock;
  readonly #events = new EventHub<SessionEvents>();
  readonly #sessions = new Map<string, ScriptedSession>();
  #isOpen = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async create(spec: SessionSpec, call: CallOptions = {}): Promise<SessionInfo> {
    this.#mustBeOpen();
    const parsed = parseEdge(sessionSpecSchema, spec, { what: 'session spec' });
    if (call.signal?.aborted === true) throw new SemoError('aborted', 'The call was given up before it began.');
    const known = this.#sessions.get(parsed.sessionId);
    if (known !== undefined) {
      if (JSON.stringify(known.spec) === JSON.stringify(parsed)) return known.info();
      throw new SemoError(
        'session_conflict',
        `There is a session ${parsed.sessionId} with another spec. Use another id.`,
      );
    }
    const session = new ScriptedSession({ spec: parsed, clock: this.#clock, events: this.#events });
    this.#sessions.set(parsed.sessionId, session);
    session.start();
    return session.info();
  }

  async get(sessionId: string): Promise<SessionInfo | null> {
    return this.#sessions.get(sessionId)?.info() ?? null;
  }

  async list({ status }: { readonly status?: readonly SessionStatus[] } = {}): Promise<SessionInfo[]> {
    const all = [...this.#sessions.values()].map((session) => session.info());
    return status === undefined ? all : all.filter((info) => status.includes(info.status));
  }

  async sendPrompt(sessionId: string, prompt: string, options: PromptOptions = {}): Promise<TurnInfo> {
    checkPrompt(prompt);
    const parsed = parseEdge(promptOptionsSchema, options, { what: 'prompt options' });
    return this.#session(sessionId).prompt(prompt, parsed);
  }

  async getTurn(sessionId: string, turnId: string): Promise<TurnInfo | null> {
    return this.#session(sessionId).turn(turnId);
  }

  async waitForTurn(
    sessionId: string,
    turnId: string,
    wait: { readonly timeoutMs?: number } & CallOptions = {},
  ): Promise<TurnInfo> {
    const { timeoutMs } = parseEdge(z.object({ timeoutMs: z.number().int().nonnegative().optional() }), wait, {
      what: 'wait',
    });
    const turn = this.#session(sessionId).turn(turnId);
    if (turn === null) throw new SemoError('turn_unknown', `There is no turn ${turnId} in this session.`);
    if (wait.signal?.aborted === true) throw new SemoError('aborted', 'The wait was given up before it began.');
    if (turn.state.kind === 'ended') return turn;
    return this.#untilEnded(turnId, { timeoutMs, signal: wait.signal });
  }

  async sendText(sessionId: string, text: string): Promise<void> {
    this.#session(sessionId).type(text);
  }

  async sendKeystrokes(sessionId: string, keys: readonly Key[]): Promise<void> {
    const parsed = parseEdge(z.array(keySchema), keys, { what: 'list of keys' });
    this.#session(sessionId).type(parsed.map(encodeKey).join(''));
  }

  async resize(sessionId: string, size: TerminalSize): Promise<void> {
    const parsed = parseEdge(terminalSizeSchema, size, { what: 'terminal size' });
    const session = this.#session(sessionId);
    session.mustLive();
    session.size = parsed;
  }

  async getOutput(sessionId: string, range?: OutputRange): Promise<OutputSlice> {
    const session = this.#session(sessionId);
    return session.output.read(range, session.size);
  }

  async listRequests({ sessionId }: { readonly sessionId?: string } = {}): Promise<OpenRequest[]> {
    const all = [...this.#sessions.values()]
      .flatMap((session) => [...session.requests.values()])
      .map((request) => ({ ...request, session: 'alive' as const }));
    return sessionId === undefined ? all : all.filter((request) => request.sessionId === sessionId);
  }

  async answerRequest(requestId: string, answer: HumanAnswer, said: { readonly by?: string } = {}): Promise<void> {
    const parsed = parseEdge(humanAnswerSchema, answer, { what: 'answer' });
    const by = parseEdge(answererSchema.default('person'), said.by, { what: 'name of who answers' });
    const asking = [...this.#sessions.values()].find((session) => session.requests.has(requestId));
    if (asking === undefined) throw new SemoError('request_unknown', `Nobody waits for an answer to ${requestId}.`);
    asking.answer(requestId, parsed, by);
  }

  async cancel(sessionId: string): Promise<void> {
    this.#session(sessionId).cancel();
  }

  async reset(sessionId: string): Promise<void> {
    this.#session(sessionId).reset();
  }

  async assign(sessionId: string, assignment: Assignment): Promise<SessionInfo> {
    const parsed = parseEdge(assignmentSchema, assignment, { what: 'assignment' });
    return this.#session(sessionId).assign(parsed);
  }

  async terminate(sessionId: string, options: { readonly graceMs?: number } = {}): Promise<void> {
    parseEdge(z.object({ graceMs: z.number().int().nonnegative().optional() }), options, { what: 'termination' });
    this.#session(sessionId).terminate();
  }

  on<Name extends SessionEventName>(event: Name, listener: (event: SessionEvents[Name]) => void): Unsubscribe {
    return this.#events.on(event, listener);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    for (const session of this.#sessions.values()) session.terminate();
  }

  #untilEnded(
    turnId: string,
    { timeoutMs, signal }: { readonly timeoutMs?: number | undefined } & CallOptions,
  ): Promise<TurnInfo> {
    return new Promise((resolve, reject) => {
      const stops: (() => void)[] = [];
      const settle = (run: () => void): void => {
        for (const stop of stops.splice(0)) stop();
        run();
      };
      const onAbort = (): void =>
        settle(() => reject(new SemoError('aborted', 'The wait was given up. The turn goes on.')));
      const onTime = (): void =>
        settle(() => reject(new SemoError('wait_timed_out', `The turn did not end within ${timeoutMs} ms.`)));
      signal?.addEventListener('abort', onAbort, { once: true });
      stops.push(() => signal?.removeEventListener('abort', onAbort));
      if (timeoutMs !== undefined) stops.push(this.#clock.schedule(timeoutMs, onTime));
      stops.push(
        this.#events.on('turn', ({ turn }) => {
          if (turn.turnId === turnId && turn.state.kind === 'ended') settle(() => resolve(turn));
        }),
      );
    });
  }

  #session(sessionId: string): ScriptedSession {
    this.#mustBeOpen();
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new SemoError('session_unknown', `There is no session ${sessionId}.`);
    return session;
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw new SemoError('closed', 'These sessions were closed.');
  }
}
