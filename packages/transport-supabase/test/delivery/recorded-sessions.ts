import { createHash } from 'node:crypto';
import {
  SemoError,
  keptSpec,
  sessionSpecSchema,
  settledTurn,
  type SessionInfo,
  type SessionManager,
  type SessionStore,
  type TranscriptFinding,
  type TurnInfo,
} from '@semo-office/core';

/** What outlives a host's process. */
export interface Machine {
  /** Scripted agents: those of the process before where they outlived it, else new ones. */
  readonly agents: SessionManager;
  /** The prompts that agents have been given. */
  readonly given: string[];
  /** What the transcripts of agents that are gone say. */
  readonly transcript: TranscriptFinding;
}

/** Sessions that are written down as a host is to: before a prompt leaves it, when it is taken, and when its turn ends. */
export class RecordedSessions {
  readonly #machine: Machine;
  readonly #store: SessionStore;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(machine: Machine, store: SessionStore) {
    this.#machine = machine;
    this.#store = store;
    machine.agents.on('turn', ({ change, turn, at }) => {
      if (change === 'ended') void this.#advance(turn, { kind: 'ended', at, turn });
    });
  }

  /** Decides what became of turns that were left open, and that no agent of ours is at. */
  async settle(): Promise<void> {
    for (const record of await this.#store.listTurns({ open: true })) {
      const { sessionId, turnId } = record;
      if ((await this.#machine.agents.get(sessionId)) !== null) {
        if ((await this.#machine.agents.getTurn(sessionId, turnId)) !== null) continue;
      }
      const at = Date.now();
      const turn = settledTurn(record, { finding: this.#machine.transcript, at, afterReboot: false });
      await this.#store.advanceTurn(sessionId, turnId, { kind: 'ended', at, turn });
    }
  }

  get manager(): SessionManager {
    const own: Partial<SessionManager> = {
      create: async (spec) => {
        const info = await this.#machine.agents.create(spec);
        const kept = { spec: keptSpec(sessionSpecSchema.parse(spec)), conversationId: null, transcripts: null };
        await this.#store.putSession({ sessionId: spec.sessionId, hostId: 'h1', info, endedAt: null, ...kept });
        return info;
      },
      get: async (sessionId) => (await this.#machine.agents.get(sessionId)) ?? this.#gone(sessionId),
      getTurn: (sessionId, turnId) => this.#turn(sessionId, turnId),
      sendPrompt: (...call) => this.#send(...call),
    };
    return new Proxy(this.#machine.agents, {
      get(agents, name) {
        const member: unknown = Reflect.get(own, name) ?? Reflect.get(agents, name);
        return typeof member === 'function' ? (member.bind(agents) as unknown) : member;
      },
    });
  }

  async #send(...[sessionId, prompt, options = {}]: Parameters<SessionManager['sendPrompt']>): Promise<TurnInfo> {
    const { agents, given } = this.#machine;
    const { turnId = '' } = options;
    if ((await this.#gone(sessionId)) !== null) throw new SemoError('session_terminated', 'Its agent is gone.');
    const record = await this.#store.getTurn(sessionId, turnId);
    if (record?.delivery.kind === 'ended') return record.delivery.turn;
    if (record === null) {
      const digest = createHash('sha256').update(prompt).digest('hex');
      const [intentAt, submittedAt] = [Date.now(), Date.now()];
      await this.#store.putTurn({
        sessionId,
        turnId,
        conversationId: null,
        outputStart: 0,
        prompt: { digest, bytes: prompt.length },
        delivery: { kind: 'submitted', intentAt, submittedAt },
      });
      given.push(prompt);
    }
    const turn = await agents.sendPrompt(sessionId, prompt, options);
    await this.#advance(turn, { kind: 'accepted', at: Date.now() });
    return turn;
  }

  async #turn(sessionId: string, turnId: string): Promise<TurnInfo | null> {
    const isHere = (await this.#machine.agents.get(sessionId)) !== null;
    const live = isHere ? await this.#machine.agents.getTurn(sessionId, turnId) : null;
    const record = await this.#store.getTurn(sessionId, turnId);
    return live ?? (record?.delivery.kind === 'ended' ? record.delivery.turn : null);
  }

  /** A session whose agent is gone; `null`: it lives here, or is unknown. */
  async #gone(sessionId: string): Promise<SessionInfo | null> {
    if ((await this.#machine.agents.get(sessionId)) !== null) return null;
    const record = await this.#store.getSession(sessionId);
    return record && { ...record.info, status: 'terminated', terminalId: null, turnId: null };
  }

  /** One step after the other: the end of a turn may be told before its prompt's acceptance is written. */
  #advance({ sessionId, turnId }: TurnInfo, step: Parameters<SessionStore['advanceTurn']>[2]): Promise<unknown> {
    this.#writing = this.#writing.then(() => this.#store.advanceTurn(sessionId, turnId, step));
    // Of a host that is dead.
    this.#writing.catch(() => undefined);
    return this.#writing;
  }
}
