import {
  SemoError,
  keptSpec,
  turnError,
  type Clock,
  type ResolvedSessionSpec,
  type SessionEvents,
  type SessionFault,
  type SessionInfo,
  type SessionRecord,
  type SessionStore,
  type TurnInfo,
  type TurnRecord,
} from '@semo-office/core';

import { promptDigest } from '../agent/prompt-text.ts';

/** What facts are written with. */
export interface FactsOptions {
  readonly store: SessionStore;
  /** Under which name this host writes them down. */
  readonly hostId: string;
  readonly clock: Clock;
  /** Told of a fact that could not be written down. */
  readonly onFault: (fault: SessionFault) => void;
}

/** A prompt that is to be sent. */
export interface PromptFact {
  readonly turnId: string;
  readonly prompt: string;
  readonly require?: 'marker' | undefined;
}

/** What is known as a prompt goes to the agent. */
export interface SendingFact {
  readonly outputStart: number;
  readonly conversationId: string | null;
}

/** Refusals after which the agent may have the prompt all the same. */
const MAYBE_TAKEN: ReadonlySet<string> = new Set(['delivery_unknown', 'agent_crashed']);

/**
 * Writes down what becomes of one session and its prompts, as it happens. Only the step before the first byte of a prompt is
 * waited for: everything else is written behind, each turn's steps in order.
 */
export class SessionFacts {
  readonly #options: FactsOptions;
  readonly #spec: ResolvedSessionSpec;
  readonly #transcripts: string | null;
  #record: SessionRecord | null = null;
  /** The writes of each turn that is open, and of the session itself, one after the other. */
  readonly #writes = new Map<string, Promise<void>>();
  readonly #intended = new Set<string>();

  constructor(options: FactsOptions, { spec, transcripts }: { spec: ResolvedSessionSpec; transcripts: string | null }) {
    this.#options = options;
    this.#spec = spec;
    this.#transcripts = transcripts;
  }

  /** The session can take prompts. */
  async opened(info: SessionInfo): Promise<void> {
    const { sessionId } = this.#spec;
    const conversationId = info.agent.conversationId ?? null;
    const { hostId } = this.#options;
    const spec = keptSpec(this.#spec);
    const record = { sessionId, hostId, spec, info, conversationId, transcripts: this.#transcripts, endedAt: null };
    await this.#putSession(record);
  }

  /** Another host has opened it, and written so down. */
  takenUp(record: SessionRecord): void {
    this.#record = record;
  }

  /** The session is over; resolves when everything about it is written down. */
  async ended(info: SessionInfo): Promise<void> {
    if (this.#record === null) return;
    const conversationId = info.agent.conversationId ?? this.#record.conversationId;
    const endedAt = this.#options.clock.now();
    const gone: SessionInfo = { ...info, status: 'terminated', terminalId: null, turnId: null };
    await Promise.all([
      ...this.#writes.values(),
      this.#putSession({ ...this.#record, conversationId, info: gone, endedAt }),
    ]);
  }

  /** A prompt waits for the turns before it. */
  intent(fact: PromptFact): void {
    const intentAt = this.#options.clock.now();
    this.#intended.add(fact.turnId);
    const record = this.#turnRecord(fact, { kind: 'intent', intentAt });
    void this.#later(fact.turnId, () => this.#options.store.putTurn(record));
  }

  /** Resolves when what was told so far is written down, or could not be. */
  async written(): Promise<void> {
    await Promise.all(this.#writes.values());
  }

  /**
   * The next thing is the first byte of the prompt.
   * @throws SemoError `prompt_not_accepted`: that cannot be written down, so it must not be sent.
   */
  async submitted(fact: PromptFact, sending: SendingFact): Promise<void> {
    try {
      await this.#inOrder(fact.turnId, () => this.#submit(fact, sending));
    } catch (cause) {
      const why = SemoError.from(cause).message;
      const message = `The prompt was not sent, since that could not be written down: ${why} Make the session store writable and send it again.`;
      throw new SemoError('prompt_not_accepted', message, { cause });
    }
  }

  /** What a turn told of itself. */
  onTurn({ change, turn, at }: SessionEvents['turn'], conversationId: string | null): void {
    if (change === 'ended') this.#end(turn, conversationId);
    // A turn that ends without having been accepted is told as started too, for those who listen.
    else if (change === 'started' && turn.state.kind !== 'ended')
      void this.#later(turn.turnId, () => this.#advance(turn.turnId, { kind: 'accepted', at, conversationId }));
    if (this.#record !== null && conversationId !== null && conversationId !== this.#record.conversationId)
      void this.#putSession({ ...this.#record, conversationId });
  }

  /** The prompt was refused, and its sender has been told. */
  refused(turnId: string, { code, message }: SemoError): void {
    const { sessionId } = this.#spec;
    if (!MAYBE_TAKEN.has(code)) {
      this.#intended.delete(turnId);
      void this.#later(turnId, () => this.#options.store.forgetTurn(sessionId, turnId));
      return;
    }
    const at = this.#options.clock.now();
    const error = turnError(code, message);
    const outcome = code === 'agent_crashed' ? ('crashed' as const) : ('unknown' as const);
    const state = { kind: 'ended', outcome, confidence: 'certain', decidedBy: 'lost', at, error } as const;
    const turn = { turnId, sessionId, state, acceptedAt: at, outputStart: 0, text: '', milestones: [], percent: null };
    this.#end({ ...turn, evidence: [{ kind: 'lost', at, error }] }, null);
  }

  async #submit(fact: PromptFact, { outputStart, conversationId }: SendingFact): Promise<void> {
    const { store, clock } = this.#options;
    const at = clock.now();
    const { turnId } = fact;
    const step = { kind: 'submitted', at, outputStart, conversationId } as const;
    if (this.#intended.delete(turnId) && (await store.advanceTurn(this.#spec.sessionId, turnId, step))) return;
    const delivery = { kind: 'submitted', intentAt: at, submittedAt: at } as const;
    // One write for both steps, where nothing has held the prompt up.
    await store.putTurn({ ...this.#turnRecord(fact, delivery), outputStart, conversationId });
  }

  #end(ended: TurnInfo, conversationId: string | null): void {
    // A record does not change after its end: what is still to come is not in it.
    const { usageFollows: _, ...turn } = ended;
    const { turnId } = turn;
    const at = turn.state.kind === 'ended' ? turn.state.at : this.#options.clock.now();
    const known = conversationId === null ? {} : { conversationId };
    void this.#later(turnId, () => this.#advance(turnId, { kind: 'ended', at, turn, ...known }));
  }

  async #advance(turnId: string, step: Parameters<SessionStore['advanceTurn']>[2]): Promise<void> {
    await this.#options.store.advanceTurn(this.#spec.sessionId, turnId, step);
  }

  #turnRecord({ turnId, prompt, require }: PromptFact, delivery: TurnRecord['delivery']): TurnRecord {
    return {
      sessionId: this.#spec.sessionId,
      turnId,
      conversationId: this.#record?.conversationId ?? null,
      prompt: { digest: promptDigest(prompt), bytes: Buffer.byteLength(prompt) },
      ...(require === undefined ? {} : { require }),
      outputStart: 0,
      delivery,
    };
  }

  #putSession(record: SessionRecord): Promise<void> {
    this.#record = record;
    return this.#later('', () => this.#options.store.putSession(record));
  }

  /** Writes behind; resolves also when it cannot be written. */
  #later(key: string, write: () => Promise<void>): Promise<void> {
    const place = [this.#spec.sessionId, key].join('/');
    return this.#inOrder(key, write).catch((error: unknown) => {
      this.#options.onFault({ place, message: SemoError.from(error).message });
    });
  }

  /** Writes after what is being written of the same turn. */
  #inOrder(key: string, write: () => Promise<void>): Promise<void> {
    const written = (this.#writes.get(key) ?? Promise.resolve()).then(write);
    const settled = written
      .catch(() => undefined)
      .finally(() => {
        if (this.#writes.get(key) === settled) this.#writes.delete(key);
      });
    this.#writes.set(key, settled);
    return written;
  }
}
