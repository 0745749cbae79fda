import {
  assertNever,
  isSemoError,
  type Clock,
  type EventHub,
  type LogFields,
  type ResolvedSessionSpec,
  type SessionEvents,
  type TurnInfo,
} from '@semo-office/core';

import type { DriverReport } from '../agent/agent-driver.ts';
import { openLogFolder, pruneLogs } from './log-folder.ts';
import type { ResolvedLogOptions } from './log-options.ts';
import { SessionLog } from './session-log.ts';

/** Parts of {@link SessionLogs}. */
export interface SessionLogsOptions {
  readonly hub: EventHub<SessionEvents>;
  readonly clock: Clock;
  readonly log: ResolvedLogOptions;
}

/** Keeps a log for each session, from its opening to its exit. What is written at `info` holds no word of anybody. */
export class SessionLogs {
  readonly #log: ResolvedLogOptions;
  readonly #logs = new Map<string, SessionLog>();
  readonly #closing = new Set<Promise<void>>();

  constructor({ hub, clock, log }: SessionLogsOptions) {
    this.#log = log;
    try {
      openLogFolder(log.dir);
    } catch (thrown) {
      log.onFault(thrown);
    }
    this.#wait(pruneLogs(log, clock.now()).catch(log.onFault));
    hub.on('status', ({ sessionId, status }) => this.#of(sessionId)?.info('status', { status }));
    hub.on('turn', (event) => this.#onTurn(event));
    hub.on('request', ({ request: { sessionId, requestId, turnId, kind, tool } }) =>
      this.#of(sessionId)?.info('request', { requestId, turnId, kind, tool }),
    );
    hub.on('request_settled', ({ request: { sessionId, requestId }, state }) =>
      this.#of(sessionId)?.info('request settled', { requestId, state: state.kind }),
    );
    hub.on('exit', ({ sessionId, code, signal }) => {
      this.#of(sessionId)?.info('exit', { code, signal });
      this.#close(sessionId);
    });
    // Whoever listens has them looked at.
    if (log.level === 'debug')
      hub.on('resources', ({ sessionId, pssBytes, cpuMs, processes }) =>
        this.#of(sessionId)?.debug('resources', { pssBytes, cpuMs, processes }),
      );
  }

  /** A session is about to be opened. */
  begin({ sessionId, agent, agentId, persona, workspace }: ResolvedSessionSpec): void {
    if (this.#logs.has(sessionId)) return;
    const log = new SessionLog(sessionId, this.#log);
    this.#logs.set(sessionId, log);
    log.info('opening', { agent: agent.kind, agentId, role: persona?.role, workspace: workspace.kind });
  }

  /** It is open. */
  opened(sessionId: string, facts: LogFields): void {
    this.#of(sessionId)?.info('opened', facts);
  }

  /** It could not be opened. */
  failed(sessionId: string, thrown: unknown): void {
    const log = this.#of(sessionId);
    log?.error('not opened', { code: isSemoError(thrown) ? thrown.code : 'internal' });
    if (thrown instanceof Error) log?.debug('not opened', { message: thrown.message });
    this.#close(sessionId);
  }

  /** A driver has told something. */
  onReport(sessionId: string, report: DriverReport): void {
    const log = this.#of(sessionId);
    if (log?.isDebug !== true) return;
    switch (report.kind) {
      case 'evidence':
        // A busy terminal reports it thousands of times a second.
        if (report.evidence.kind !== 'activity') log.debug('evidence', { evidence: report.evidence });
        return;
      case 'words':
        return log.debug('words', { words: report.words });
      default:
        assertNever(report);
    }
  }

  /** Resolves when all that was logged is written. */
  async close(): Promise<void> {
    for (const sessionId of this.#logs.keys()) this.#close(sessionId);
    await Promise.all(this.#closing);
  }

  #of(sessionId: string): SessionLog | undefined {
    return this.#logs.get(sessionId);
  }

  #onTurn({ sessionId, change, turn, forMs }: SessionEvents['turn']): void {
    const log = this.#of(sessionId);
    const { turnId } = turn;
    if (turn.state.kind === 'ended' && change === 'ended') {
      log?.info('turn ended', endFields(turn));
      if (turn.state.error !== null) log?.debug('turn error', { turnId, message: turn.state.error.message });
    } else log?.info(`turn ${change}`, { turnId, ...newsOf(change, turn), ...(forMs === undefined ? {} : { forMs }) });
  }

  #close(sessionId: string): void {
    const log = this.#logs.get(sessionId);
    this.#logs.delete(sessionId);
    if (log !== undefined) this.#wait(log.close());
  }

  #wait(done: Promise<void>): void {
    const waited = done.finally(() => this.#closing.delete(waited));
    this.#closing.add(waited);
  }
}

function newsOf(change: SessionEvents['turn']['change'], turn: TurnInfo): LogFields {
  if (change === 'milestone') return { milestone: turn.milestones.at(-1)?.kind };
  if (change === 'usage') return { ...turn.usage };
  return change === 'progress' ? { percent: turn.percent } : {};
}

function endFields({ turnId, state, acceptedAt, usage }: TurnInfo): LogFields {
  if (state.kind !== 'ended') return { turnId };
  const { outcome, confidence, decidedBy, at, error } = state;
  const why = error === null ? {} : { code: error.code, class: error.class };
  return { turnId, outcome, confidence, decidedBy, durationMs: at - acceptedAt, ...why, ...usage };
}
