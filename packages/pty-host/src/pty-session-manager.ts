import {
  SemoError,
  answererSchema,
  assignmentSchema,
  checkPrompt,
  encodeKey,
  humanAnswerSchema,
  keySchema,
  newId,
  parseEdge,
  promptOptionsSchema,
  sessionSpecSchema,
  terminalSizeSchema,
  type Assignment,
  type CallOptions,
  type Clock,
  type EventHub,
  type ResolvedSessionSpec,
  type SessionEvents,
  type SessionInfo,
  type SessionManager,
  type SessionRecord,
  type SessionSpec,
  type TurnInfo,
} from '@semo-office/core';
import { z } from 'zod';

import { openHostParts } from './host-parts.ts';
import type { HostStartup } from './host-startup.ts';
import type { HostObservers } from './host-observers.ts';
import type { HostedSession } from './hosted-session.ts';
import type { PtySessionManagerOptions } from './pty-session-options.ts';
import type { HostMemory } from './recovery/host-memory.ts';
import type { HumanRequests } from './requests/human-requests.ts';
import type { SessionOpener } from './session-opener.ts';
import type { SessionRegistry } from './session-registry.ts';
import { waitForTurn } from './turn-wait.ts';

/**
 * Sessions in pseudo-terminals on this machine, in this process.
 *
 * What an earlier process left behind when it was killed is ended and removed first; with `terminal: 'tmux'` its sessions in tmux
 * are gone on with. Closing ends every session.
 *
 * @example
 * ```ts
 * const sessions = createPtySessionManager({ allowedRoots: ['/srv/apps'] });
 * const { sessionId } = await sessions.create({
 *   sessionId: newId('ses'),
 *   agent: { kind: 'claude', permissionMode: 'acceptEdits' },
 *   workspace: { kind: 'path', path: '/srv/apps/app' },
 * });
 * const { turnId } = await sessions.sendPrompt(sessionId, 'Explain this repository.');
 * const turn = await sessions.waitForTurn(sessionId, turnId);
 * await sessions.close();
 * ```
 */
export function createPtySessionManager(options: PtySessionManagerOptions = {}): SessionManager {
  return new PtySessionManager(options);
}

class PtySessionManager implements SessionManager {
  readonly #registry: SessionRegistry;
  readonly #hub: EventHub<SessionEvents>;
  readonly #requests: HumanRequests;
  readonly #clock: Clock;
  readonly #opener: SessionOpener;
  readonly #memory: HostMemory;
  readonly #observers: HostObservers;
  readonly #startup: HostStartup;
  #closed = false;

  constructor(options: PtySessionManagerOptions) {
    const { registry, hub, requests, clock, opener, memory, observers, startup } = openHostParts(options);
    this.#registry = registry;
    this.#hub = hub;
    this.#requests = requests;
    this.#clock = clock;
    this.#opener = opener;
    this.#memory = memory;
    this.#observers = observers;
    this.#startup = startup;
  }

  async create(spec: SessionSpec, call?: CallOptions): Promise<SessionInfo> {
    const parsed = parseEdge(sessionSpecSchema, spec, { what: 'session' });
    this.#assertOpen();
    await this.#startup.ready();
    this.#assertOpen();
    return this.#registry.enter(parsed, () => this.#open(parsed, call));
  }

  async get(sessionId: string): Promise<SessionInfo | null> {
    await this.#readyFor(sessionId);
    return this.#registry.find(sessionId)?.info() ?? (await this.#memory.find(sessionId))?.info ?? null;
  }

  async list(filter: Parameters<SessionManager['list']>[0] = {}): Promise<SessionInfo[]> {
    await this.#startup.ready();
    const all = this.#registry.infos();
    return filter.status === undefined ? all : all.filter(({ status }) => filter.status?.includes(status));
  }

  async sendPrompt(...[sessionId, prompt, options = {}]: Parameters<SessionManager['sendPrompt']>): Promise<TurnInfo> {
    checkPrompt(prompt);
    const { turnId = newId('turn'), ...rest } = parseEdge(promptOptionsSchema, options, { what: 'prompt options' });
    const hosted = await this.#hosted(sessionId);
    // The same prompt may have been sent by the host before.
    const before = hosted.isTakenUp ? await this.#memory.turn({ sessionId }, turnId) : null;
    return before ?? hosted.live.sendPrompt(turnId, prompt, rest);
  }

  async getTurn(sessionId: string, turnId: string): Promise<TurnInfo | null> {
    const hosted = this.#registry.find(sessionId) ?? (await this.#takenUp(sessionId));
    if (hosted === null) return this.#memory.turn(await this.#former(sessionId), turnId);
    this.#assertOpen();
    // A prompt that was refused, though the agent may have it, is known by what was written down of it.
    return (await hosted.live.turn(turnId))?.info() ?? this.#memory.turn({ sessionId }, turnId);
  }

  async waitForTurn(...[sessionId, turnId, wait = {}]: Parameters<SessionManager['waitForTurn']>): Promise<TurnInfo> {
    this.#assertOpen();
    const hosted = this.#registry.find(sessionId) ?? (await this.#takenUp(sessionId));
    const turn = await hosted?.live.turn(turnId);
    if (turn) return waitForTurn(turn, { ...wait, clock: this.#clock });
    // What has ended with its host needs no waiting.
    const ended = await this.getTurn(sessionId, turnId);
    if (ended === null) throw new SemoError('turn_unknown', `Session ${sessionId} has no turn ${turnId}.`);
    return ended;
  }

  async sendText(sessionId: string, text: string): Promise<void> {
    await (await this.#hosted(sessionId)).live.type(parseEdge(z.string().max(1024 * 1024), text, { what: 'text' }));
  }

  async sendKeystrokes(...[sessionId, keys]: Parameters<SessionManager['sendKeystrokes']>): Promise<void> {
    const parsed = parseEdge(z.array(keySchema).max(1000), keys, { what: 'list of keys' });
    await (await this.#hosted(sessionId)).live.type(parsed.map((key) => encodeKey(key)).join(''));
  }

  async resize(...[sessionId, size]: Parameters<SessionManager['resize']>): Promise<void> {
    (await this.#hosted(sessionId)).live.resize(parseEdge(terminalSizeSchema, size, { what: 'terminal size' }));
  }

  async getOutput(
    ...[sessionId, range]: Parameters<SessionManager['getOutput']>
  ): ReturnType<SessionManager['getOutput']> {
    return (await this.#hosted(sessionId)).live.output.read(range);
  }

  async listRequests(
    filter: Parameters<SessionManager['listRequests']>[0] = {},
  ): ReturnType<SessionManager['listRequests']> {
    await this.#startup.ready();
    return this.#requests.list(filter.sessionId);
  }

  async answerRequest(...[requestId, answer, said = {}]: Parameters<SessionManager['answerRequest']>): Promise<void> {
    const parsed = parseEdge(humanAnswerSchema, answer, { what: 'answer' });
    const by = parseEdge(answererSchema.default('person'), said.by, { what: 'name of who answers' });
    await this.#startup.ready();
    await this.#requests.answer(requestId, { answer: parsed, by });
  }

  async cancel(sessionId: string): Promise<void> {
    await (await this.#hosted(sessionId)).live.cancel();
  }

  async reset(sessionId: string): Promise<void> {
    await (await this.#hosted(sessionId)).live.reset();
  }

  async assign(sessionId: string, assignment: Assignment): Promise<SessionInfo> {
    const parsed = parseEdge(assignmentSchema, assignment, { what: 'assignment' });
    return (await this.#hosted(sessionId)).assign(parsed);
  }

  async terminate(...[sessionId, options]: Parameters<SessionManager['terminate']>): Promise<void> {
    await this.#readyFor(sessionId);
    if (!this.#registry.knows(sessionId)) return void (await this.#former(sessionId));
    // One that is still being opened is let finish, so that there is something to end.
    await (await this.#registry.opened(sessionId))?.end(options);
  }

  readonly on: SessionManager['on'] = (event, listener) => this.#hub.on(event, listener);

  async close(): Promise<void> {
    this.#closed = true;
    await this.#requests.leave();
    await this.#registry.endAll();
    await this.#requests.settled();
    await this.#observers.close();
    this.#hub.clear();
  }

  async #open(spec: ResolvedSessionSpec, call: CallOptions | undefined): Promise<HostedSession> {
    const journal = await this.#startup.ready();
    if ((await this.#memory.find(spec.sessionId)) !== null) throw takenError(spec.sessionId);
    this.#hub.emit('status', { sessionId: spec.sessionId, status: 'creating', at: this.#clock.now() });
    return this.#observers.follow(spec, this.#opener.open(spec, journal, call));
  }

  /** @throws SemoError `session_unknown`; `session_terminated`: it ended with a host before this one. */
  async #hosted(sessionId: string): Promise<HostedSession> {
    this.#assertOpen();
    // What an earlier host has left may be one of ours when it has been taken up.
    const hosted = this.#registry.find(sessionId) ?? (await this.#takenUp(sessionId));
    if (hosted !== null) return hosted;
    await this.#former(sessionId);
    throw new SemoError('session_terminated', `Session ${sessionId} has ended with its host. Create a new one.`);
  }

  async #takenUp(sessionId: string): Promise<HostedSession | null> {
    this.#assertOpen();
    await this.#readyFor(sessionId);
    return this.#registry.find(sessionId);
  }

  async #readyFor(sessionId: string): Promise<void> {
    await this.#startup.ready();
    if (!this.#registry.knows(sessionId)) await this.#startup.readyFor(sessionId);
  }

  /** A session that ended before this host, or so long ago that this one has forgotten it. @throws SemoError `session_unknown`. */
  async #former(sessionId: string): Promise<SessionRecord> {
    this.#assertOpen();
    await this.#startup.ready();
    return (await this.#memory.find(sessionId)) ?? this.#registry.refuse(sessionId);
  }

  #assertOpen(): void {
    if (this.#closed) throw new SemoError('closed', 'These sessions are closed. Create a new session manager.');
  }
}

function takenError(sessionId: string): SemoError {
  return new SemoError('session_conflict', `There was a session ${sessionId} already, and it has ended. Use a new id.`);
}
