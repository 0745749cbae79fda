import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  SemoError,
  settledTurn,
  type Clock,
  type SessionFault,
  type SessionRecord,
  type SessionStore,
  type TranscriptFinding,
  type TurnInfo,
  type TurnRecord,
} from '@semo-office/core';

import type { AgentDriver } from '../agent/agent-driver.ts';
import { fileSessionStore } from './file-session-store.ts';
import type { FactsOptions } from './session-facts.ts';

/**
 * Claude Code (2.1.329) writes its transcript up to 440 ms after it has taken a prompt, and does not catch up when it is told
 * to end. What it has not written by then we would take for what it never had.
 */
const WRITING_MS = 2000;
const DEFAULT_RETENTION_MS = 30 * 24 * 3_600_000;

/** How a host remembers its sessions. */
export interface HostMemoryOptions {
  readonly stateDir: string;
  readonly drivers: ReadonlyMap<string, AgentDriver>;
  readonly clock: Clock;
  /** Default: files in `<stateDir>/history`. */
  readonly store?: SessionStore | undefined;
  /** Default: the machine's name and the state folder. */
  readonly hostId?: string | undefined;
  readonly retentionMs?: number | undefined;
  readonly onFault?: ((fault: SessionFault) => void) | undefined;
}

/** A session whose agent is gone for good. */
interface GoneSession {
  readonly sessionId: string;
  /** Whether the machine has been started since. */
  readonly afterReboot: boolean;
}

/**
 * What this host and those before it have written down of their sessions. Turns that a killed host has left open are settled
 * by the agent's transcript, once the agent is gone.
 */
export class HostMemory {
  /** What sessions that live here are written down with. */
  readonly facts: FactsOptions;
  readonly #options: HostMemoryOptions;
  /** One wait is enough for all agents that a host has left. */
  #written: Promise<void> | null = null;

  constructor(options: HostMemoryOptions) {
    const { stateDir, clock, onFault = () => undefined } = options;
    const store = options.store ?? fileSessionStore({ folder: join(stateDir, 'history'), onFault });
    this.#options = options;
    this.facts = { store, clock, onFault, hostId: options.hostId ?? `${hostname()}:${stateDir}` };
  }

  /** Agents that are met from now on have not been waited for yet. */
  beginSweep(): void {
    this.#written = null;
  }

  /** Lets an agent that has outlived its host write down what it does, before it is ended. */
  async letWrite(sessionId: string): Promise<void> {
    const { store, clock } = this.facts;
    const session = await store.getSession(sessionId);
    const isSent = (turn: TurnRecord) => turn.delivery.kind !== 'intent';
    if (session === null || session.transcripts === null) return;
    if (!(await store.listTurns({ sessionId, open: true })).some(isSent)) return;
    this.#written ??= new Promise((resolve) => void clock.schedule(WRITING_MS, resolve));
    await this.#written;
  }

  /** Decides what became of the open turns of a session whose agent is gone, and writes it down. */
  async settle({ sessionId, afterReboot }: GoneSession): Promise<void> {
    const { store, clock } = this.facts;
    const session = await store.getSession(sessionId);
    for (const turn of await store.listTurns({ sessionId, open: true }))
      await this.settleTurn(turn, await this.#find(turn, session), afterReboot);
    if (session !== null && session.endedAt === null) await store.putSession(goneRecord(session, clock.now()));
  }

  /** Decides what became of a turn by what is known of it, and writes it down. */
  async settleTurn(turn: TurnRecord, finding: TranscriptFinding, afterReboot = false): Promise<void> {
    const { store, clock } = this.facts;
    const at = clock.now();
    const verdict = settledTurn(turn, { finding, at, afterReboot });
    await store.advanceTurn(turn.sessionId, turn.turnId, { kind: 'ended', at, turn: verdict });
  }

  /**
   * Settles what the sweep did not come across, since nothing else is left of those sessions, and forgets what is old. What
   * goes wrong is told and does not keep the host from starting.
   */
  async settleRest(): Promise<void> {
    const { store, hostId } = this.facts;
    await this.#attempt(hostId, async () => {
      for (const { sessionId } of await store.listSessions({ hostId, open: true })) {
        // Hosts may share a state folder: what has a folder belongs to a living one, or was left alone by the sweep.
        if (await exists(join(this.#options.stateDir, 'sessions', sessionId))) continue;
        // Nobody knows what became of the machine meanwhile.
        await this.settle({ sessionId, afterReboot: true });
      }
    });
    void this.#attempt(hostId, () => this.#prune());
  }

  /** A session that has ended, as it was at its end; `null`: there is none of that id. */
  async find(sessionId: string): Promise<SessionRecord | null> {
    const record = await this.facts.store.getSession(sessionId);
    return record !== null && record.endedAt !== null ? record : null;
  }

  /** A turn whose verdict was written down; `null`: there is none of that id. */
  async turn({ sessionId }: Pick<SessionRecord, 'sessionId'>, turnId: string): Promise<TurnInfo | null> {
    const record = await this.facts.store.getTurn(sessionId, turnId);
    return record?.delivery.kind === 'ended' ? record.delivery.turn : null;
  }

  async #find(turn: TurnRecord, session: SessionRecord | null): Promise<TranscriptFinding> {
    const { delivery, conversationId } = turn;
    const driver = this.#options.drivers.get(session?.info.agent.kind ?? '');
    const transcripts = session?.transcripts ?? null;
    const since = delivery.kind === 'submitted' || delivery.kind === 'accepted' ? delivery.submittedAt : null;
    if (driver?.findTurn === undefined || transcripts === null || conversationId === null || since === null)
      return { kind: 'unreadable' };
    return driver.findTurn({ transcripts, conversationId, digest: turn.prompt.digest, since });
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.facts;
    await store.prune(clock.now() - (this.#options.retentionMs ?? DEFAULT_RETENTION_MS));
  }

  async #attempt(place: string, action: () => Promise<void>): Promise<void> {
    await action().catch((error: unknown) => {
      this.facts.onFault({ place, message: SemoError.from(error).message });
    });
  }
}

function goneRecord(session: SessionRecord, endedAt: number): SessionRecord {
  const { info, conversationId } = session;
  const agent = conversationId === null ? info.agent : { ...info.agent, conversationId };
  const gone = { ...info, agent, status: 'terminated', terminalId: null, turnId: null, exit: null } as const;
  return { ...session, info: gone, endedAt };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
