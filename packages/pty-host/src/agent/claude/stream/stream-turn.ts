import { SemoError, assertNever, type Cancel, type Clock, type Evidence, type TurnError } from '@semo-office/core';

import { isAborted, resultFailure } from '../failure.ts';
import { LimitNews } from './limit-news.ts';
import type { ClaudeMessage, ClaudeResult } from './message.ts';
import { ClaudeUsageMeter } from './usage-meter.ts';

/** An agent that rests this long after its last background task has ended was not woken by it. */
const WAKE_MS = 5000;

/** What a task can be without having ended. */
const TASK_GOES_ON: ReadonlySet<string> = new Set(['pending', 'running', 'paused']);

/** Where the present prompt stands. Only a result that answers it can end its turn. */
type Delivery =
  | { readonly kind: 'none' }
  | { readonly kind: 'offered'; readonly uuid: string; readonly verdict: PromiseWithResolvers<void> }
  /** `answered` once a first result has come. */
  | { readonly kind: 'accepted'; readonly uuid: string; readonly answered: boolean };

type Message<Type extends ClaudeMessage['type']> = Extract<ClaudeMessage, { type: Type }>;

interface End {
  readonly text: string;
  readonly error: TurnError | undefined;
}

/** Options of {@link ClaudeStreamTurn}. */
export interface ClaudeStreamTurnOptions {
  readonly clock: Clock;
  readonly report: (evidence: Evidence) => void;
  /** Whether the process goes on with a conversation of another one. Default false. */
  readonly resumes?: boolean | undefined;
}

/**
 * Follows what Claude Code says of the prompt it was given: whether it has taken it, and how the turn ended. A result
 * while background tasks run is a pause: the agent goes on by itself when one ends.
 */
export class ClaudeStreamTurn {
  readonly #clock: Clock;
  readonly #report: (evidence: Evidence) => void;
  #delivery: Delivery = { kind: 'none' };
  /** What the agent says of itself; `null` until it says something, which old versions never do. */
  #state: string | null = null;
  #isWorking = false;
  #tasks: readonly string[] = [];
  #older: ReadonlySet<string> = new Set();
  /** Whether this version says where each prompt stands. */
  #tellsOfPrompts = false;
  /** Whether this version lists the tasks that run, each time they change. */
  #listsTasks = false;
  /** Whether a background task has ended during this turn: then only rest tells that the agent does not go on. */
  #wasNotified = false;
  #end: End | null = null;
  #said = '';
  #reason: string | null = null;
  #limit = new LimitNews();
  readonly #usage: ClaudeUsageMeter;
  #cancelWake: Cancel = () => undefined;

  constructor({ clock, report, resumes }: ClaudeStreamTurnOptions) {
    this.#clock = clock;
    this.#report = report;
    this.#usage = new ClaudeUsageMeter({ resumes });
  }

  get isAtRest(): boolean {
    return this.#state === null ? !this.#isWorking : this.#state === 'idle';
  }

  /** The background tasks that run now. */
  get tasks(): readonly string[] {
    return this.#tasks;
  }

  /** Those that this turn has begun: what turns before it have left running holds nobody up. */
  get #ownTasks(): readonly string[] {
    return this.#tasks.filter((id) => !this.#older.has(id));
  }

  /** A prompt is about to be sent; the promise resolves when the agent has taken it. */
  offer(uuid: string): Promise<void> {
    this.forget();
    // What was used between two turns is neither's.
    this.#usage.take();
    this.#older = new Set(this.#tasks);
    const verdict = Promise.withResolvers<void>();
    verdict.promise.catch(() => undefined);
    this.#delivery = { kind: 'offered', uuid, verdict };
    return verdict.promise;
  }

  /** Whatever comes now belongs to no prompt of ours. */
  forget(): void {
    this.#cancelWake();
    this.#delivery = { kind: 'none' };
    this.#wasNotified = false;
    this.#end = null;
    this.#said = '';
    this.#reason = null;
    this.#limit = new LimitNews();
  }

  onMessage(message: ClaudeMessage): void {
    switch (message.type) {
      case 'system':
        return this.#onSystem(message);
      case 'command_lifecycle':
        return this.#onLifecycle(message);
      case 'assistant':
        return this.#onAssistant(message);
      case 'result':
        return this.#onResult(message);
      case 'rate_limit_event':
        return this.#limit.onEvent(message.rate_limit_info);
      case 'user':
        if (message.isReplay === true) this.#acceptIf(message.uuid);
        return;
      case 'conversation_reset':
      case 'control_request':
      case 'control_response':
      case 'control_cancel_request':
        return;
      default:
        return assertNever(message);
    }
  }

  #onSystem(message: Message<'system'>): void {
    switch (message.subtype) {
      case 'init':
        return this.#onInit(message.user_message_uuids ?? []);
      case 'session_state_changed':
        return this.#onState(message.state);
      case 'background_tasks_changed':
        this.#listsTasks = true;
        this.#tasks = message.tasks.map(({ task_id: id }) => id);
        return this.#watchWaking();
      case 'task_started':
        if (!this.#listsTasks && message.is_backgrounded !== false) this.#tasks = [...this.#tasks, message.task_id];
        return;
      case 'task_updated':
        return this.#onTaskUpdated(message.task_id, message.patch.status);
      case 'task_notification':
        this.#wasNotified = true;
        return;
      case 'api_retry':
        return this.#onRetry(message);
      default:
        return assertNever(message);
    }
  }

  #onRetry(message: Extract<Message<'system'>, { subtype: 'api_retry' }>): void {
    const { attempt, retry_delay_ms: delayMs, error_status: status = null } = message;
    this.#limit.onRetry({ attempt, delayMs, status });
    this.#report({ kind: 'retrying', at: this.#clock.now(), attempt, delayMs, status });
  }

  /** Only of versions that do not list what runs. */
  #onTaskUpdated(taskId: string, status: string | undefined): void {
    if (this.#listsTasks || status === undefined || TASK_GOES_ON.has(status)) return;
    this.#tasks = this.#tasks.filter((id) => id !== taskId);
    this.#wasNotified = true;
    this.#watchWaking();
  }

  #acceptIf(uuid: string | undefined): void {
    if (this.#delivery.kind === 'offered' && this.#delivery.uuid === uuid) this.#accept(this.#delivery);
  }

  #onLifecycle({ command_uuid: uuid, state }: Message<'command_lifecycle'>): void {
    this.#tellsOfPrompts = true;
    if (this.#delivery.kind !== 'offered' || this.#delivery.uuid !== uuid) return;
    if (state === 'started') this.#accept(this.#delivery);
    if (state !== 'cancelled') return;
    const { verdict } = this.#delivery;
    this.#delivery = { kind: 'none' };
    verdict.reject(new SemoError('prompt_not_accepted', 'The agent took the prompt off its queue again.'));
  }

  #onInit(uuids: readonly string[]): void {
    this.#isWorking = true;
    const delivery = this.#delivery;
    if (delivery.kind === 'offered' && (uuids.includes(delivery.uuid) || this.#mustBeOurs())) this.#accept(delivery);
    if (delivery.kind !== 'accepted' || !delivery.answered || uuids.length > 0) return;
    const reason = this.#wasNotified ? ('task_notification' as const) : undefined;
    this.#report({ kind: 'self_started', at: this.#clock.now(), ...(reason === undefined ? {} : { reason }) });
  }

  /** Older versions do not say what they begin; with no task that could have woken them it is what they were given. */
  #mustBeOurs(): boolean {
    return !this.#tellsOfPrompts && !this.#wasNotified && this.#tasks.length === 0;
  }

  #onState(state: string): void {
    this.#state = state;
    if (state === 'idle' && this.#end !== null) this.#finish(this.#end);
    this.#watchWaking();
  }

  #onAssistant({ parent_tool_use_id: parent, message, error }: Message<'assistant'>): void {
    // A subagent's words are not the agent's.
    if (typeof parent === 'string') return;
    this.#reason = error ?? null;
    const text = message.content.map((block) => (block.type === 'text' ? (block.text ?? '') : '')).join('');
    if (text !== '') this.#said = text;
  }

  #onResult(result: ClaudeResult): void {
    this.#isWorking = false;
    this.#usage.count(result);
    const delivery = this.#delivery;
    if (delivery.kind === 'offered' && result.user_message_uuids?.includes(delivery.uuid) === true) {
      this.#accept(delivery);
    }
    if (!this.#isOurs(result)) return;
    const end = { text: result.result ?? this.#said, error: this.#failure(result) };
    // After these only rest tells what the result was worth: the agent may be about to go on, or to go.
    const isOpen = end.error === undefined ? this.#wasNotified && this.#ownTasks.length === 0 : isAborted(result);
    if (!isOpen || this.#state === null) return this.#finish(end);
    this.#pause();
    this.#end = end;
  }

  #failure(result: ClaudeResult): TurnError | undefined {
    const at = this.#clock.now();
    return resultFailure(result, { reason: this.#reason, at, resetsAt: this.#limit.resetsAt(at) });
  }

  #isOurs({ user_message_uuids: uuids, origin }: ClaudeResult): boolean {
    if (this.#delivery.kind !== 'accepted') return false;
    if (uuids !== undefined && uuids !== null) return uuids.includes(this.#delivery.uuid);
    return this.#delivery.answered || origin === undefined || origin === null;
  }

  #accept({ uuid, verdict }: Extract<Delivery, { kind: 'offered' }>): void {
    this.#isWorking = true;
    this.#delivery = { kind: 'accepted', uuid, answered: false };
    this.#report({ kind: 'accepted', at: this.#clock.now() });
    verdict.resolve();
  }

  #finish(end: End): void {
    const backgroundTasks = end.error === undefined ? this.#ownTasks.length : 0;
    if (backgroundTasks === 0) this.forget();
    else this.#pause();
    const { text, error } = end;
    const usage = this.#usage.take();
    this.#report({
      kind: 'agent_end',
      at: this.#clock.now(),
      text,
      backgroundTasks,
      ...(error === undefined ? {} : { error }),
      ...(usage === null ? {} : { usage }),
    });
  }

  /** The agent has answered, and may go on by itself. */
  #pause(): void {
    if (this.#delivery.kind === 'accepted') this.#delivery = { ...this.#delivery, answered: true };
    this.#end = null;
  }

  /** A task that ended wakes the agent; where it does not, the last word was the last. */
  #watchWaking(): void {
    this.#cancelWake();
    this.#cancelWake = () => undefined;
    const { kind } = this.#delivery;
    const isWaiting = kind === 'accepted' && this.#delivery.answered && this.#ownTasks.length === 0;
    if (!isWaiting || !this.isAtRest) return;
    const text = this.#said;
    this.#cancelWake = this.#clock.schedule(WAKE_MS, () => this.#finish({ text, error: undefined }));
  }
}
