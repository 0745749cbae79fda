import { join } from 'node:path';
import {
  EventHub,
  SemoError,
  checkPrompt,
  encodeKey,
  humanAnswerSchema,
  idSchema,
  keySchema,
  newId,
  parseEdge,
  promptOptionsSchema,
  sessionSpecSchema,
  systemClock,
  terminalSizeSchema,
  type CallOptions,
  type Clock,
  type PersonaInjector,
  type ResolvedSessionSpec,
  type SessionEvents,
  type SessionInfo,
  type SessionManager,
  type SessionSpec,
  type TurnInfo,
} from '@semo-office/core';
import { z } from 'zod';

import type { AgentDriver } from './agent/agent-driver.ts';
import type { ClaudeDriverOptions } from './agent/claude-home.ts';
import { createClaudeStreamDriver } from './agent/claude-stream.ts';
import { createClaudeDriver } from './agent/claude-terminal.ts';
import { createCommandDriver } from './agent/command-line.ts';
import { createShellDriver } from './agent/shell.ts';
import type { HostedSession } from './hosted-session.ts';
import { HumanRequests } from './human-requests.ts';
import { createClaudeMdInjector } from './persona/claude-md-injector.ts';
import { openJournal, type SessionJournal } from './process/session-journal.ts';
import { defaultStateDir } from './process/session-record.ts';
import { sweepSessions, type SweepReport } from './process/session-sweep.ts';
import { SessionOpener } from './session-opener.ts';
import { waitForTurn } from './turn-wait.ts';
import { removeWorktree } from './workspace/git-worktrees.ts';
import { createWorkspaceResolver } from './workspace/workspace-resolver.ts';

/** Options of {@link createPtySessionManager}. */
export interface PtySessionManagerOptions {
  /** Folders a `path` workspace may be in. Default: anywhere. */
  readonly allowedRoots?: readonly string[] | undefined;
  /** Repositories that `git` workspaces may name, by id. Default none. */
  readonly repositories?: Readonly<Record<string, string>> | undefined;
  /** Where worktrees are made, as `agent/{role}/{taskId}` below it. Default `<stateDir>/worktrees`. */
  readonly worktreeRoot?: string | undefined;
  /** Where private folders and what is needed after a crash are kept. Default `$XDG_STATE_HOME/semo` or `~/.local/state/semo`. */
  readonly stateDir?: string | undefined;
  /** The environment agents may get named variables of. Default: this process's. */
  readonly hostEnv?: Readonly<Record<string, string | undefined>> | undefined;
  /** How Claude Code is found and signed in. */
  readonly claude?: ClaudeDriverOptions | undefined;
  /** More agents, or other drivers for known ones. */
  readonly drivers?: readonly AgentDriver[] | undefined;
  /** How many terminated sessions can still be asked for their output. Default 64. */
  readonly rememberTerminated?: number | undefined;
  /** Told what hosts that were killed had left behind, and what became of it. */
  readonly onSweep?: ((report: SweepReport) => void) | undefined;
  readonly clock?: Clock | undefined;
}

interface Entry {
  readonly spec: ResolvedSessionSpec;
  readonly opening: Promise<HostedSession>;
  hosted: HostedSession | null;
}

/**
 * Sessions in pseudo-terminals on this machine, in this process.
 *
 * What an earlier process left behind when it was killed is ended and removed first. Closing ends every session.
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
  readonly #entries = new Map<string, Entry>();
  readonly #hub = new EventHub<SessionEvents>();
  readonly #requests: HumanRequests;
  readonly #clock: Clock;
  readonly #opener: SessionOpener;
  readonly #stateDir: string;
  readonly #rememberTerminated: number;
  readonly #personas: PersonaInjector;
  readonly #onSweep: PtySessionManagerOptions['onSweep'];
  #journal: Promise<SessionJournal> | null = null;
  #closed = false;

  constructor(options: PtySessionManagerOptions) {
    const { clock = systemClock, hostEnv = process.env, rememberTerminated = 64 } = options;
    this.#clock = clock;
    this.#requests = new HumanRequests(clock);
    this.#rememberTerminated = rememberTerminated;
    this.#stateDir = options.stateDir ?? defaultStateDir(hostEnv);
    this.#onSweep = options.onSweep;
    this.#personas = createClaudeMdInjector({ stateDir: this.#stateDir });
    const { allowedRoots, repositories, worktreeRoot = join(this.#stateDir, 'worktrees') } = options;
    const conversationsDir = join(this.#stateDir, 'conversations');
    const drivers = [
      createClaudeDriver(options.claude),
      createClaudeStreamDriver({ ...options.claude, conversationsDir }),
      createCommandDriver(),
      createShellDriver(),
      ...(options.drivers ?? []),
    ];
    this.#opener = new SessionOpener({
      drivers: new Map(drivers.map((driver) => [driver.kind, driver])),
      workspaces: createWorkspaceResolver({ allowedRoots, repositories, worktreeRoot }),
      personas: this.#personas,
      requests: this.#requests,
      hostEnv,
      clock,
      emit: (name, event) => this.#hub.emit(name, event),
      isHeard: () => this.#hub.listenerCount('output') > 0,
    });
  }

  async create(spec: SessionSpec, call?: CallOptions): Promise<SessionInfo> {
    const parsed = parseEdge(sessionSpecSchema, spec, { what: 'session' });
    this.#assertOpen();
    const known = this.#entries.get(parsed.sessionId);
    if (known !== undefined) return this.#same(known, parsed);
    const entry: Entry = { spec: parsed, opening: this.#open(parsed, call), hosted: null };
    this.#entries.set(parsed.sessionId, entry);
    try {
      entry.hosted = await entry.opening;
      return entry.hosted.info();
    } catch (thrown) {
      // It never was: the same id may be tried again.
      this.#entries.delete(parsed.sessionId);
      throw thrown;
    }
  }

  async get(sessionId: string): Promise<SessionInfo | null> {
    await this.#ready();
    return this.#entries.get(sessionId)?.hosted?.info() ?? null;
  }

  async list(filter: Parameters<SessionManager['list']>[0] = {}): Promise<SessionInfo[]> {
    await this.#ready();
    const all = [...this.#entries.values()].flatMap(({ hosted }) => (hosted === null ? [] : [hosted.info()]));
    return filter.status === undefined ? all : all.filter(({ status }) => filter.status?.includes(status));
  }

  async sendPrompt(...[sessionId, prompt, options = {}]: Parameters<SessionManager['sendPrompt']>): Promise<TurnInfo> {
    checkPrompt(prompt);
    const { turnId = newId('turn'), ...rest } = parseEdge(promptOptionsSchema, options, { what: 'prompt options' });
    return this.#hosted(sessionId).live.sendPrompt(turnId, prompt, rest);
  }

  async getTurn(sessionId: string, turnId: string): Promise<TurnInfo | null> {
    return (await this.#hosted(sessionId).live.turn(turnId))?.info() ?? null;
  }

  async waitForTurn(...[sessionId, turnId, wait = {}]: Parameters<SessionManager['waitForTurn']>): Promise<TurnInfo> {
    const turn = await this.#hosted(sessionId).live.turn(turnId);
    if (turn === null) throw new SemoError('turn_unknown', `Session ${sessionId} has no turn ${turnId}.`);
    return waitForTurn(turn, { ...wait, clock: this.#clock });
  }

  async sendText(sessionId: string, text: string): Promise<void> {
    await this.#hosted(sessionId).live.type(parseEdge(z.string().max(1024 * 1024), text, { what: 'text' }));
  }

  async sendKeystrokes(...[sessionId, keys]: Parameters<SessionManager['sendKeystrokes']>): Promise<void> {
    const parsed = parseEdge(z.array(keySchema).max(1000), keys, { what: 'list of keys' });
    await this.#hosted(sessionId).live.type(parsed.map((key) => encodeKey(key)).join(''));
  }

  async resize(...[sessionId, size]: Parameters<SessionManager['resize']>): Promise<void> {
    this.#hosted(sessionId).live.resize(parseEdge(terminalSizeSchema, size, { what: 'terminal size' }));
  }

  async getOutput(
    ...[sessionId, range]: Parameters<SessionManager['getOutput']>
  ): ReturnType<SessionManager['getOutput']> {
    return this.#hosted(sessionId).live.output.read(range);
  }

  async listRequests(
    filter: Parameters<SessionManager['listRequests']>[0] = {},
  ): ReturnType<SessionManager['listRequests']> {
    return this.#requests.list(filter.sessionId);
  }

  async answerRequest(...[requestId, answer]: Parameters<SessionManager['answerRequest']>): Promise<void> {
    this.#requests.answer(requestId, parseEdge(humanAnswerSchema, answer, { what: 'answer' }));
  }

  async cancel(sessionId: string): Promise<void> {
    await this.#hosted(sessionId).live.cancel();
  }

  async reset(sessionId: string): Promise<void> {
    await this.#hosted(sessionId).live.reset();
  }

  async terminate(...[sessionId, options]: Parameters<SessionManager['terminate']>): Promise<void> {
    const entry = this.#entries.get(sessionId);
    // One that is still being opened is let finish, so that there is something to end.
    const hosted = entry === undefined ? this.#hosted(sessionId) : await entry.opening.catch(() => null);
    await hosted?.end(options);
  }

  readonly on: SessionManager['on'] = (event, listener) => this.#hub.on(event, listener);

  async close(): Promise<void> {
    this.#closed = true;
    this.#requests.withdraw();
    const ends = [...this.#entries.values()].map(async ({ opening }) => (await opening.catch(() => null))?.end());
    await Promise.all(ends);
    this.#hub.clear();
  }

  async #open(spec: ResolvedSessionSpec, call: CallOptions | undefined): Promise<HostedSession> {
    const journal = await this.#ready();
    this.#hub.emit('status', { sessionId: spec.sessionId, status: 'creating', at: this.#clock.now() });
    const hosted = await this.#opener.open(spec, journal, call);
    void hosted.live.exited.then(() => this.#forgetOldest());
    return hosted;
  }

  /** The journal, once what an earlier host left behind has been swept up. */
  #ready(): Promise<SessionJournal> {
    this.#journal ??= this.#sweep().then(() => openJournal({ stateDir: this.#stateDir }));
    return this.#journal;
  }

  async #sweep(): Promise<void> {
    const removePersona: PersonaInjector['remove'] = (target) => this.#personas.remove(target);
    const report = await sweepSessions({ stateDir: this.#stateDir, removePersona, removeWorktree });
    this.#onSweep?.(report);
  }

  async #same(known: Entry, wanted: ResolvedSessionSpec): Promise<SessionInfo> {
    if (JSON.stringify(known.spec) !== JSON.stringify(wanted)) {
      throw new SemoError(
        'session_conflict',
        `Session ${wanted.sessionId} exists with another specification. Use a new id.`,
      );
    }
    return (await known.opening).info();
  }

  #hosted(sessionId: string): HostedSession {
    this.#assertOpen();
    const hosted = this.#entries.get(sessionId)?.hosted ?? null;
    if (hosted !== null) return hosted;
    const shown = idSchema.safeParse(sessionId).success ? sessionId : JSON.stringify(sessionId);
    throw new SemoError(
      'session_unknown',
      `There is no session ${shown} on this host. Create it, or list those there are.`,
    );
  }

  #forgetOldest(): void {
    const terminated = [...this.#entries].filter(
      ([, { hosted }]) => hosted !== null && hosted.live.status === 'terminated',
    );
    for (const [sessionId] of terminated.slice(0, Math.max(0, terminated.length - this.#rememberTerminated)))
      this.#entries.delete(sessionId);
  }

  #assertOpen(): void {
    if (this.#closed) throw new SemoError('closed', 'These sessions are closed. Create a new session manager.');
  }
}
