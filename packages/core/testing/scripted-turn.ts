import type { Cancel, Clock } from '../src/clock.ts';
import { SemoError } from '../src/errors.ts';
import { newId } from '../src/ids.ts';
import type { Evidence } from '../src/monitor/evidence.ts';
import { beginTurn, type MonitorState } from '../src/monitor/monitor-state.ts';
import { nextTickAt, observe } from '../src/monitor/output-monitor.ts';
import type { TurnUsage } from '../src/monitor/usage.ts';
import { turnError } from '../src/monitor/verdict.ts';
import type { HumanAnswer, HumanRequest } from '../src/session/human-request.ts';
import type { SettledState } from '../src/session/request-record.ts';
import type { TurnChange } from '../src/session/session-manager.ts';
import type { ResolvedPromptOptions, TurnInfo } from '../src/session/turn.ts';
import { parseScript, type Step } from './script.ts';

/** How long after its end a turn tells what it used, of an agent that tells that late. */
const LATE_MS = 100;

/** What a turn does to the session it runs in. */
export interface TurnStage {
  readonly sessionId: string;
  readonly clock: Clock;
  print(text: string): void;
  tell(change: TurnChange, turn: TurnInfo, forMs?: number): void;
  ask(request: HumanRequest): void;
  /** The request waits no more; nothing happens if it has been settled before. */
  settle(requestId: string, state: SettledState): void;
  /** There is work now that is not committed. */
  dirty(): void;
  crash(): void;
}

/** What {@link ScriptedTurn} is made from. */
export interface TurnStart {
  readonly turnId: string;
  readonly prompt: string;
  readonly options: ResolvedPromptOptions;
  readonly outputStart: number;
}

/** One turn of a scripted agent, judged by the real monitor. */
export class ScriptedTurn {
  readonly #stage: TurnStage;
  readonly #start: TurnStart;
  readonly #acceptedAt: number;
  #state: MonitorState;
  #cancelTick: Cancel | null = null;
  /** What the script waits for at present; called when the turn ends, so that no script outlives its turn. */
  #goOn: (answer?: HumanAnswer) => void = () => {};
  #said: string[] = [];
  #usage: { readonly usage?: TurnUsage } = {};
  /** What the agent tells after its end, and whether it has. */
  #late: { readonly usage: TurnUsage | null; readonly isTold: boolean } | null = null;

  constructor(stage: TurnStage, start: TurnStart) {
    this.#stage = stage;
    this.#start = start;
    this.#acceptedAt = stage.clock.now();
    const { timeoutMs, silenceMs, require, completeOn, endWithBackgroundTasks } = start.options;
    const limits = { timeoutMs, silenceMs, require, completeOn, endWithBackgroundTasks };
    this.#state = beginTurn({ sources: ['agent_end', 'exit'], exitMeans: 'crash', ...limits }, this.#acceptedAt);
    this.observe({ kind: 'accepted', at: this.#acceptedAt });
  }

  get hasEnded(): boolean {
    return this.#state.turn.kind === 'ended';
  }

  info(): TurnInfo {
    const { turn, text, milestones, percent, evidence, usage } = this.#state;
    const { turnId, outputStart } = this.#start;
    return structuredClone({
      turnId,
      sessionId: this.#stage.sessionId,
      state: turn,
      acceptedAt: this.#acceptedAt,
      outputStart,
      text,
      milestones: [...milestones],
      percent,
      evidence: [...evidence],
      ...(usage === null ? {} : { usage }),
      ...this.#lateUsage(),
    });
  }

  #lateUsage(): Pick<TurnInfo, 'usage' | 'usageFollows'> {
    if (this.#late === null || !this.hasEnded) return {};
    const { usage, isTold } = this.#late;
    if (!isTold) return { usageFollows: true };
    return usage === null ? {} : { usage };
  }

  /** Does what the prompt says; resolves when the turn has ended or hangs no more. */
  async run(): Promise<void> {
    for (const step of parseScript(this.#start.prompt)) {
      if (this.hasEnded) return;
      await this.#do(step);
    }
    this.observe({
      kind: 'agent_end',
      at: this.#now(),
      text: this.#said.join('\n'),
      backgroundTasks: 0,
      ...this.#usage,
    });
    const late = this.#late;
    if (late === null) return;
    this.#stage.clock.schedule(LATE_MS, () => {
      this.#late = { ...late, isTold: true };
      this.#stage.tell('usage', this.info());
    });
  }

  observe(evidence: Evidence): void {
    const before = this.#state;
    this.#state = observe(before, evidence);
    this.#scheduleTick();
    const told = changeBetween(before, this.#state);
    if (told === null) return;
    const { stalledSince } = this.#state;
    this.#stage.tell(
      told,
      this.info(),
      told === 'stalled' && stalledSince !== null ? this.#now() - stalledSince : undefined,
    );
    if (told === 'ended') this.#goOn();
  }

  stop(by: Extract<Evidence, { kind: 'stopped' }>['by']): void {
    this.observe({ kind: 'stopped', at: this.#now(), by });
  }

  answer(answer: HumanAnswer): void {
    this.#goOn(answer);
  }

  async #do(step: Step): Promise<void> {
    const at = this.#now();
    switch (step.kind) {
      case 'say':
        this.#say(step.text);
        return;
      case 'print':
        this.#print(step.text);
        return;
      case 'wait':
        await this.#pause((goOn) => this.#stage.clock.schedule(step.ms, goOn));
        return;
      case 'hang':
        await this.#pause(() => () => {});
        return;
      case 'ask':
        await this.#askPerson(step);
        return;
      case 'progress':
        this.observe({ kind: 'progress', at, percent: step.percent });
        return;
      case 'commit':
        this.observe({ kind: 'milestone', at, milestone: { kind: 'commit', hash: step.hash } });
        return;
      case 'fail':
        this.observe({
          kind: 'agent_end',
          at,
          text: step.message,
          backgroundTasks: 0,
          error: turnError('agent_failed', step.message),
          ...this.#usage,
        });
        return;
      case 'usage':
        this.#usage = { usage: step.usage };
        return;
      case 'late':
        this.#late = { usage: step.usage, isTold: false };
        return;
      case 'dirty':
        this.#stage.dirty();
        return;
      case 'crash':
        this.#stage.crash();
        return;
      default:
        throw new SemoError('internal', `Unexpected step: ${JSON.stringify(step satisfies never)}`);
    }
  }

  async #askPerson(step: Extract<Step, { kind: 'ask' }>): Promise<void> {
    const { sessionId, clock } = this.#stage;
    const { requests, onNeedsPerson } = this.#start.options;
    const { expiresAfterMs } = requests;
    const requestId = newId('req');
    const askedAt = this.#now();
    const asked = step.for === 'permission' ? { tool: step.what, input: {} } : { input: { question: step.what } };
    const cancelExpiry =
      expiresAfterMs === undefined ? () => {} : clock.schedule(expiresAfterMs, () => this.#expire(requestId));
    const answered = this.#pause(() => () => {
      cancelExpiry();
      this.#stage.settle(requestId, { kind: 'withdrawn', why: 'turn_over', at: this.#now() });
    });
    this.observe({ kind: 'waiting', at: this.#now(), for: step.for, requestId });
    this.#stage.ask({
      requestId,
      sessionId,
      turnId: this.#start.turnId,
      kind: step.for,
      ...asked,
      askedAt,
      ...(expiresAfterMs === undefined ? {} : { expiresAt: askedAt + expiresAfterMs }),
    });
    if (onNeedsPerson === 'interrupt') this.stop('needs_input');
    const answer = await answered;
    if (answer === undefined) return;
    this.observe({ kind: 'answered', at: this.#now(), requestId });
    if (answer.behavior === 'deny') this.#say(`denied: ${answer.message ?? 'Denied.'}`);
    else this.#say(step.for === 'permission' ? 'allowed' : `answered: ${JSON.stringify(answer.updatedInput ?? {})}`);
  }

  #expire(requestId: string): void {
    this.#stage.settle(requestId, { kind: 'expired', at: this.#now() });
    if (this.#start.options.requests.onExpiry === 'needs_input') this.stop('needs_input');
    else this.#goOn({ behavior: 'deny', message: 'Nobody answered in time.' });
  }

  /** Holds the script until `begin`'s `goOn` is called, an answer comes or the turn ends; then cleans up. */
  #pause(begin: (goOn: () => void) => Cancel): Promise<HumanAnswer | undefined> {
    return new Promise((resolve) => {
      const goOn = (answer?: HumanAnswer): void => {
        this.#goOn = () => {};
        cleanUp();
        resolve(answer);
      };
      const cleanUp = begin(goOn);
      this.#goOn = goOn;
    });
  }

  #say(text: string): void {
    this.#said.push(text);
    this.#print(text);
  }

  #print(text: string): void {
    this.#stage.print(`${text}\n`);
    this.observe({ kind: 'activity', at: this.#now() });
  }

  #now(): number {
    return this.#stage.clock.now();
  }

  #scheduleTick(): void {
    this.#cancelTick?.();
    const at = nextTickAt(this.#state);
    const { clock } = this.#stage;
    this.#cancelTick =
      at === null ? null : clock.schedule(at - clock.now(), () => this.observe({ kind: 'tick', at: clock.now() }));
  }
}

function changeBetween(before: MonitorState, after: MonitorState): TurnChange | null {
  if (before.turn.kind !== after.turn.kind) {
    if (after.turn.kind === 'ended') return 'ended';
    return after.turn.kind === 'waiting' ? 'waiting' : 'resumed';
  }
  if (after.milestones.length > before.milestones.length) return 'milestone';
  if (after.percent !== before.percent) return 'progress';
  return after.stalledSince !== null && before.stalledSince === null ? 'stalled' : null;
}
