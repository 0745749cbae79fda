import {
  WordsReader,
  beginTurn,
  nextTickAt,
  observe,
  type Cancel,
  type Clock,
  type Evidence,
  type LinePattern,
  type Milestone,
  type MonitorConfig,
  type MonitorState,
  type RequestExpiry,
  type SessionEvents,
  type TurnChange,
  type TurnInfo,
  type TurnUsage,
  type Words,
} from '@semo-office/core';

/** Busy terminals print thousands of times a second; the monitor needs to hear of it ten times. */
const ACTIVITY_INTERVAL_MS = 100;

/** What {@link LiveTurn} needs to know. */
export interface LiveTurnOptions {
  readonly turnId: string;
  readonly sessionId: string;
  readonly outputStart: number;
  readonly prompt: string;
  readonly config: MonitorConfig;
  /** What becomes of a request that nobody answers. Default: it waits. */
  readonly requests?: RequestExpiry | undefined;
  /** Milestones of the caller's own. Default none. */
  readonly patterns?: readonly LinePattern[] | undefined;
  readonly clock: Clock;
  /** What the agent printed, for agents that tell no final message. */
  readonly finalText?: (() => string) | undefined;
  /** See `AgentControl.lateUsage`; asked once, with the verdict. */
  readonly lateUsage?: (() => Promise<TurnUsage | null> | null) | undefined;
  readonly onChange: (event: SessionEvents['turn']) => void;
}

/** One turn while it runs: the monitor's state, its clock, and who waits for its end. */
export class LiveTurn {
  readonly turnId: string;
  readonly requests: RequestExpiry;
  readonly #options: LiveTurnOptions;
  readonly #reader: WordsReader;
  readonly #ended = Promise.withResolvers<TurnInfo>();
  #state: MonitorState;
  #acceptedAt: number | null = null;
  #cancelTick: Cancel = () => undefined;
  #lastActivityAt = Number.NEGATIVE_INFINITY;
  #finalText: string | null = null;
  /** What the agent tells after its end. */
  #late: { readonly kind: 'none' | 'follows' } | { readonly kind: 'told'; readonly usage: TurnUsage } = {
    kind: 'none',
  };

  constructor(options: LiveTurnOptions) {
    this.turnId = options.turnId;
    this.requests = options.requests ?? { onExpiry: 'needs_input' };
    this.#options = options;
    this.#reader = new WordsReader(options.patterns, options.prompt);
    this.#state = beginTurn(options.config, options.clock.now());
    this.#scheduleTick();
  }

  /** Resolves with the verdict. Never rejects. */
  get ended(): Promise<TurnInfo> {
    return this.#ended.promise;
  }

  get hasEnded(): boolean {
    return this.#state.turn.kind === 'ended';
  }

  get isWaiting(): boolean {
    return this.#state.turn.kind === 'waiting';
  }

  get isAccepted(): boolean {
    return this.#acceptedAt !== null;
  }

  /** Lets the monitor know what words tell: milestones, errors, progress. */
  hear(words: Words): void {
    if (this.hasEnded) return;
    for (const finding of this.#reader.read(words, this.#options.clock.now())) this.#see(finding);
  }

  /** Lets the monitor see one observation and tells what changed. */
  observe(evidence: Evidence): void {
    if (this.hasEnded || this.#isOldNews(evidence)) return;
    // What the words so far come to is told before a verdict, after which nothing counts.
    const isLast = evidence.kind !== 'activity' && observe(this.#state, evidence).turn.kind === 'ended';
    if (isLast) for (const finding of this.#reader.settle(evidence.at)) this.#see(finding);
    this.#see(evidence);
  }

  #see(evidence: Evidence): void {
    if (this.hasEnded) return;
    const before = this.#state;
    if (evidence.kind === 'accepted') this.#accept(evidence.at);
    this.#state = observe(before, evidence);
    if (this.#acceptedAt === null && this.hasEnded) this.#accept(evidence.at);
    if (this.hasEnded) this.#askUsage();
    this.#tell(before, evidence.at);
    if (this.hasEnded) this.#finish();
    // After a stall nothing is due but the deadline: whatever comes makes silence count again.
    else if (evidence.kind !== 'activity' || before.stalledSince !== null) this.#scheduleTick();
  }

  info(): TurnInfo {
    const { text, turn, milestones, percent, evidence, usage } = this.#state;
    const { turnId, sessionId, outputStart } = this.#options;
    return {
      turnId,
      sessionId,
      state: turn,
      acceptedAt: this.#acceptedAt ?? this.#state.startedAt,
      outputStart,
      text: text === '' && turn.kind === 'ended' ? this.#printed() : text,
      milestones: [...milestones],
      percent,
      evidence: [...evidence],
      ...(usage === null ? {} : { usage }),
      ...this.#lateUsage(),
    };
  }

  #lateUsage(): Pick<TurnInfo, 'usage' | 'usageFollows'> {
    if (this.#late.kind === 'follows') return { usageFollows: true };
    return this.#late.kind === 'told' ? { usage: this.#late.usage } : {};
  }

  /** The verdict does not wait for what the agent writes down after it. */
  #askUsage(): void {
    const coming = this.#state.usage === null ? (this.#options.lateUsage?.() ?? null) : null;
    if (coming === null) return;
    this.#late = { kind: 'follows' };
    const told = (usage: TurnUsage | null): void => {
      this.#late = usage === null ? { kind: 'none' } : { kind: 'told', usage };
      this.#emit('usage', this.#options.clock.now());
    };
    coming.then(told, () => told(null));
  }

  /** Read once: a megabyte of output takes tens of milliseconds to turn into text, and a verdict never changes. */
  #printed(): string {
    this.#finalText ??= this.#options.finalText?.() ?? '';
    return this.#finalText;
  }

  /** Forgets the turn without a verdict: its prompt never reached the agent. */
  abandon(): void {
    this.#cancelTick();
  }

  #isOldNews(evidence: Evidence): boolean {
    if (evidence.kind === 'accepted') return this.#acceptedAt !== null;
    if (evidence.kind !== 'activity') return false;
    if (evidence.at - this.#lastActivityAt < ACTIVITY_INTERVAL_MS && this.#state.hasSpoken) return true;
    this.#lastActivityAt = evidence.at;
    return false;
  }

  #accept(at: number): void {
    this.#acceptedAt = at;
    this.#emit('started', at);
  }

  #tell(before: MonitorState, at: number): void {
    const after = this.#state;
    for (const _ of newOnes(before.milestones, after.milestones)) this.#emit('milestone', at);
    if (after.percent !== before.percent) this.#emit('progress', at);
    if (this.isAccepted && after.stalledSince !== null && before.stalledSince === null)
      this.#emit('stalled', at, at - after.stalledSince);
    if (after.turn.kind === before.turn.kind) return;
    if (after.turn.kind === 'waiting') this.#emit('waiting', at);
    else if (after.turn.kind === 'running') this.#emit('resumed', at);
    else this.#emit('ended', at);
  }

  #emit(change: TurnChange, at: number, forMs?: number): void {
    const { sessionId, onChange } = this.#options;
    onChange({ sessionId, change, turn: this.info(), at, ...(forMs === undefined ? {} : { forMs }) });
  }

  #finish(): void {
    this.#cancelTick();
    this.#ended.resolve(this.info());
  }

  #scheduleTick(): void {
    this.#cancelTick();
    const due = nextTickAt(this.#state);
    if (due === null) return;
    const { clock } = this.#options;
    this.#cancelTick = clock.schedule(Math.max(0, due - clock.now()), () => {
      this.observe({ kind: 'tick', at: clock.now() });
    });
  }
}

function newOnes(before: readonly Milestone[], after: readonly Milestone[]): readonly Milestone[] {
  return after.slice(before.length);
}
