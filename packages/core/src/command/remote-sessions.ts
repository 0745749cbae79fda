import { z } from 'zod';

import { systemClock, type Clock } from '../clock.ts';
import { SemoError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import { idSchema, newId } from '../ids.ts';
import { parseEdge } from '../parse-edge.ts';
import type { HumanAnswer, OpenRequest } from '../session/human-request.ts';
import type { Key } from '../session/keys.ts';
import type { OutputRange, OutputSlice, TerminalSize } from '../session/output.ts';
import { checkPrompt } from '../session/prompt.ts';
import type { SessionInfo, SessionSpec, SessionStatus } from '../session/session.ts';
import { sessionSpecSchema } from '../session/session.ts';
import type {
  CallOptions,
  SessionEventName,
  SessionEvents,
  SessionManager,
  Unsubscribe,
} from '../session/session-manager.ts';
import { promptOptionsSchema, type PromptOptions, type TurnInfo } from '../session/turn.ts';
import { assignmentSchema, type Assignment } from '../session/workspace.ts';
import { CommandSender } from './command-sender.ts';
import type { LinkStatus, OfficeLink } from './transport.ts';
import { waitForTurnEnd } from './turn-wait.ts';
import { eventFromWire } from './wire-event.ts';
import { outputSliceFromWire } from './wire-result.ts';

/** Options of {@link remoteSessions}. */
export interface RemoteSessionsOptions {
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
  /** For how long a host may be away before calls and waits fail with `host_lost`, in milliseconds. Default 10 000. */
  readonly hostLostAfterMs?: number | undefined;
  /** How often `waitForTurn` asks, should an event have been missed, in milliseconds. Default 2 000. */
  readonly pollIntervalMs?: number | undefined;
}

/**
 * Sessions that run at the other end of a transport, as if they ran here. Takes over the link: `close()` closes it, and
 * the sessions live on.
 *
 * While the host is away, calls are repeated with the same command id until it is back or `hostLostAfterMs` have passed; where it
 * is known to be lost (`details.noticed`), they fail at once.
 * `sendText` and `sendKeystrokes` are never repeated: they fail with `host_lost`, and may have arrived.
 *
 * @example
 * ```ts
 * const sessions = remoteSessions(await connectToSocket({ path }));
 * const turn = await sessions.sendPrompt(sessionId, 'Run the tests.');
 * const ended = await sessions.waitForTurn(sessionId, turn.turnId);
 * ```
 */
export function remoteSessions(link: OfficeLink, options: RemoteSessionsOptions = {}): SessionManager {
  return new RemoteSessions(link, {
    clock: options.clock ?? systemClock,
    hostLostAfterMs: options.hostLostAfterMs ?? 10_000,
    pollIntervalMs: options.pollIntervalMs ?? 2000,
  });
}

interface RemoteConfig {
  readonly clock: Clock;
  readonly hostLostAfterMs: number;
  readonly pollIntervalMs: number;
}

interface LineEvents {
  status: LinkStatus;
}

const waitSchema = z.object({ timeoutMs: z.number().int().nonnegative().optional() });

class RemoteSessions implements SessionManager {
  readonly #link: OfficeLink;
  readonly #config: RemoteConfig;
  readonly #sender: CommandSender;
  readonly #events = new EventHub<SessionEvents>();
  readonly #line = new EventHub<LineEvents>();
  readonly #stops: Unsubscribe[];
  #isOpen = true;

  constructor(link: OfficeLink, config: RemoteConfig) {
    this.#link = link;
    this.#config = config;
    this.#sender = new CommandSender({ link, clock: config.clock, hostLostAfterMs: config.hostLostAfterMs });
    this.#stops = [
      link.onEvent((wire) => {
        const { name, event } = eventFromWire(wire);
        this.#events.emit(name, event);
      }),
      link.onStatus((status) => {
        this.#line.emit('status', status);
      }),
    ];
  }

  async create(spec: SessionSpec, call: CallOptions = {}): Promise<SessionInfo> {
    const parsed = parseEdge(sessionSpecSchema, spec, { what: 'session spec' });
    return this.#open().send({ kind: 'create_session', sessionId: parsed.sessionId, spec: parsed }, call);
  }

  async get(sessionId: string): Promise<SessionInfo | null> {
    return this.#open().send({ kind: 'get_session', sessionId });
  }

  async list(filter: { readonly status?: readonly SessionStatus[] } = {}): Promise<SessionInfo[]> {
    const status = filter.status === undefined ? undefined : [...filter.status];
    return this.#open().send({ kind: 'list_sessions', status });
  }

  // oxlint-disable-next-line max-params -- the port's own shape
  async sendPrompt(
    sessionId: string,
    prompt: string,
    options: PromptOptions = {},
    call: CallOptions = {},
  ): Promise<TurnInfo> {
    checkPrompt(prompt);
    const parsed = parseEdge(promptOptionsSchema, options, { what: 'prompt options' });
    const turnId = parsed.turnId ?? newId('turn');
    return this.#open().send({ kind: 'send_prompt', sessionId, turnId, prompt, options: { ...parsed, turnId } }, call);
  }

  async getTurn(sessionId: string, turnId: string): Promise<TurnInfo | null> {
    return this.#open().send({ kind: 'get_turn', sessionId, turnId });
  }

  async waitForTurn(
    sessionId: string,
    turnId: string,
    wait: { readonly timeoutMs?: number } & CallOptions = {},
  ): Promise<TurnInfo> {
    parseEdge(idSchema, turnId, { what: 'turn id' });
    const { timeoutMs } = parseEdge(waitSchema, wait, { what: 'wait' });
    const sender = this.#open();
    return waitForTurnEnd({
      turnId,
      ...this.#config,
      wait: { timeoutMs, signal: wait.signal },
      ask: (signal) => sender.send({ kind: 'get_turn', sessionId, turnId }, { signal, repeat: false }),
      onTurn: (listener) =>
        this.#events.on('turn', (event) => {
          if (event.sessionId === sessionId && event.turn.turnId === turnId) listener(event.turn);
        }),
      onTrouble: (listener) =>
        this.#events.on('status', (event) => {
          if (event.sessionId === sessionId && event.status === 'error') listener();
        }),
      onStatus: (listener) => this.#line.on('status', listener),
    });
  }

  async sendText(sessionId: string, text: string): Promise<void> {
    await this.#open().send({ kind: 'send_text', sessionId, text });
  }

  async sendKeystrokes(sessionId: string, keys: readonly Key[]): Promise<void> {
    await this.#open().send({ kind: 'send_keystrokes', sessionId, keys: [...keys] });
  }

  async resize(sessionId: string, size: TerminalSize): Promise<void> {
    await this.#open().send({ kind: 'resize', sessionId, size });
  }

  async getOutput(sessionId: string, range: OutputRange = {}): Promise<OutputSlice> {
    return outputSliceFromWire(await this.#open().send({ kind: 'get_output', sessionId, range }));
  }

  async listRequests(filter: { readonly sessionId?: string } = {}): Promise<OpenRequest[]> {
    return this.#open().send({ kind: 'list_requests', sessionId: filter.sessionId });
  }

  async answerRequest(requestId: string, answer: HumanAnswer, said: { readonly by?: string } = {}): Promise<void> {
    await this.#open().send({ kind: 'answer_request', requestId, answer, by: said.by });
  }

  async cancel(sessionId: string): Promise<void> {
    await this.#open().send({ kind: 'cancel', sessionId });
  }

  async reset(sessionId: string): Promise<void> {
    await this.#open().send({ kind: 'reset', sessionId });
  }

  async assign(sessionId: string, assignment: Assignment): Promise<SessionInfo> {
    const parsed = parseEdge(assignmentSchema, assignment, { what: 'assignment' });
    return this.#open().send({ kind: 'assign_workspace', sessionId, assignment: parsed });
  }

  async terminate(sessionId: string, options: { readonly graceMs?: number } = {}): Promise<void> {
    await this.#open().send({ kind: 'terminate', sessionId, graceMs: options.graceMs });
  }

  on<Name extends SessionEventName>(event: Name, listener: (event: SessionEvents[Name]) => void): Unsubscribe {
    return this.#events.on(event, listener);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const stop of this.#stops) stop();
    this.#line.emit('status', 'closed');
    this.#events.clear();
    this.#line.clear();
    await this.#link.close();
  }

  #open(): CommandSender {
    if (this.#isOpen) return this.#sender;
    throw new SemoError('closed', 'These sessions were closed. Connect again to go on.');
  }
}
