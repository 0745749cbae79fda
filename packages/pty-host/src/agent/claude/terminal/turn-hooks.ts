import { assertNever, turnError, type Evidence, type TurnError, type TurnUsage, type Words } from '@semo-office/core';

import type { AgentIo } from '../../agent-driver.ts';
import { ClaudeTurnUsage } from '../conversation/turn-usage.ts';
import type { AgentStops } from '../conversation/usage-tally.ts';
import type { ClaudeDelivery } from './delivery.ts';
import { ClaudeDialogs } from './dialogs.ts';
import { stopFailure } from '../failure.ts';
import type { HookInput } from '../hooks/hook-listener.ts';
import { exactLinesNote, isSelfStarted } from './paste.ts';
import type { ClaudeRest } from './rest.ts';
import { ClaudeLimitWait } from './limit-wait.ts';
import { ClaudeTasks } from './tasks.ts';
import { failureWords, toolWords } from '../tool-words.ts';
import { ClaudeWitness } from './witness.ts';

type Hook<Name extends HookInput['hook_event_name']> = Extract<HookInput, { hook_event_name: Name }>;
/** What tells of a turn: everything but the questions of a guard. */
export type TurnHook = Exclude<HookInput, { hook_event_name: 'PreToolUse' }>;

/** The news of a task that has ended follow the Stop hook at once; an agent that ended the task itself gets none. */
const NEWS_PATIENCE_MS = 2000;

const NO_STOPS: AgentStops = { stops: 0, failures: 0 };

/** What {@link ClaudeTurnHooks} works with. */
export interface ClaudeTurnHooksOptions {
  readonly io: AgentIo;
  readonly delivery: ClaudeDelivery;
  readonly rest: ClaudeRest;
}

/** Makes evidence of what Claude Code tells through its hooks, and of its rest where a hook is lost. */
export class ClaudeTurnHooks {
  readonly #io: AgentIo;
  readonly #delivery: ClaudeDelivery;
  readonly #rest: ClaudeRest;
  readonly #witness: ClaudeWitness;
  readonly #dialogs: ClaudeDialogs;
  readonly #limitWait: ClaudeLimitWait;
  readonly #gone = new AbortController();
  readonly #tasks = new ClaudeTasks();
  /** Reads what the present turn uses; `null` where the agent does not say where it writes that down. */
  #usage: ClaudeTurnUsage | null = null;
  /** How often the agent has told that the present turn is over, or pauses. */
  #stops: AgentStops = NO_STOPS;
  /** Whether an end is being reported that the agent came to by itself: what an interrupted one used is not all told. */
  #isEnding = false;
  #mayWake = false;
  /** Aborts when the news come that the agent waits for, or nobody wants to know them any more. */
  #news = new AbortController();
  #onConversationEnd: (() => void) | null = null;

  constructor({ io, delivery, rest }: ClaudeTurnHooksOptions) {
    this.#io = io;
    this.#delivery = delivery;
    this.#rest = rest;
    this.#dialogs = new ClaudeDialogs(io);
    this.#limitWait = new ClaudeLimitWait(io);
    this.#witness = new ClaudeWitness({
      clock: io.clock,
      restSource: () => rest.seenAt(),
      hasShownBusy: () => rest.hasShownBusy,
      onRest: (seen) => this.#onRest(seen),
    });
  }

  /** The last turn left background tasks: the agent may be at work again without a prompt. */
  get mayWake(): boolean {
    return this.#mayWake;
  }

  /** Resolves when the agent no longer waits for the reset of a usage limit, or by the signal. */
  limitDeclined(signal: AbortSignal): Promise<void> {
    return this.#limitWait.declined(signal);
  }

  /** See `AgentControl.lateUsage`. */
  lateUsage(): Promise<TurnUsage | null> | null {
    return this.#isEnding ? (this.#usage?.read(this.#stops) ?? null) : null;
  }

  /** A prompt is about to be sent; what may have woken the agent has been waited for. */
  promptSent(): void {
    this.#mayWake = false;
  }

  /** Another host has left the agent: what its last turn has left in the background is not known. */
  takenUp(): void {
    this.#mayWake = true;
  }

  /** Another host has heard the prompt being accepted, or would have: what tells its end is watched for. */
  turnTakenUp(transcript: string | null): void {
    this.#tasks.turnBegan();
    this.#witness.begin(transcript, Promise.resolve(0));
    this.#io.report({ kind: 'accepted', at: this.#io.clock.now() });
  }

  /** The present turn is none any more: it is interrupted, or the agent is gone. */
  turnGone(): void {
    this.#news.abort();
    this.#witness.end();
  }

  /** The agent is gone. */
  agentGone(): void {
    this.turnGone();
    this.#usage?.agentGone();
    this.#gone.abort();
  }

  /** Calls `heard` when a conversation ends; `null` for nobody. */
  listenForConversationEnd(heard: (() => void) | null): void {
    this.#onConversationEnd = heard;
  }

  /** What the agent tells through its hooks. */
  async onHook(input: TurnHook, withdrawn: AbortSignal): Promise<object> {
    // Whatever it is, somebody is at work.
    this.#io.report({ kind: 'activity', at: this.#io.clock.now() });
    switch (input.hook_event_name) {
      case 'UserPromptSubmit':
        return this.#onPrompt(input);
      case 'PostToolUse':
        this.#dialogs.onToolUsed(input);
        // What a subagent starts is news for the subagent.
        if (!isOfSubagent(input)) this.#tasks.onTool(input.tool_response);
        this.#tell(toolWords({ tool: input.tool_name, input: input.tool_input, response: input.tool_response }));
        return {};
      case 'PostToolUseFailure':
        this.#tell(failureWords({ tool: input.tool_name, input: input.tool_input, error: input.error ?? '' }));
        return {};
      case 'Stop':
        if (!isOfSubagent(input)) this.#onStop(input);
        return {};
      case 'StopFailure':
        if (!isOfSubagent(input)) this.#onFailure(input);
        return {};
      case 'SubagentStart':
      case 'SubagentStop':
        // What a subagent says is said to the agent, which may see it otherwise.
        return {};
      case 'PermissionRequest':
        return this.#witness.whileAsking(() => this.#dialogs.onRequest(input, withdrawn));
      case 'SessionEnd':
        this.#onConversationEnd?.();
        return {};
      default:
        return assertNever(input);
    }
  }

  async #onPrompt({ prompt: reported, transcript_path: transcript }: Hook<'UserPromptSubmit'>): Promise<object> {
    this.#news.abort();
    this.#tasks.onNotification(reported);
    if (isSelfStarted(reported) && this.#delivery.isAccepted) {
      this.#io.report({ kind: 'self_started', at: this.#io.clock.now(), reason: 'task_notification' });
    }
    const verdict = this.#delivery.onPrompt(reported);
    switch (verdict.kind) {
      case 'not_ours':
        return {};
      case 'blocked':
        return { decision: 'block', reason: verdict.reason, suppressOutput: true };
      case 'accepted':
        return this.#onAccepted(verdict.prompt, transcript ?? null);
      default:
        return assertNever(verdict);
    }
  }

  async #onAccepted(prompt: string, transcript: string | null): Promise<object> {
    this.#tasks.turnBegan();
    this.#rest.turnBegan();
    this.#witness.begin(transcript);
    this.#usage?.close();
    this.#usage = transcript === null ? null : new ClaudeTurnUsage(this.#io.clock, transcript);
    this.#stops = NO_STOPS;
    this.#io.report({ kind: 'accepted', at: this.#io.clock.now() });
    // The agent goes on when it has its answer: from then on what it writes is counted.
    await this.#usage?.begun;
    const note = exactLinesNote(prompt);
    return note === null ? {} : { hookSpecificOutput: { hookEventName: 'UserPromptSubmit', additionalContext: note } };
  }

  #onStop({ last_assistant_message: text, background_tasks: tasks }: Hook<'Stop'>): void {
    const running = (tasks ?? []).filter(
      ({ status }) => status === undefined || status === 'running' || status === 'pending',
    );
    this.#stops = { ...this.#stops, stops: this.#stops.stops + 1 };
    const own = this.#tasks.onRunning(running.map(({ id }) => id));
    const untold = own === 0 ? this.#tasks.untold : 0;
    this.#onEnd(text ?? '', own + untold);
    if (untold > 0) this.#awaitNews(text ?? '');
  }

  #onFailure(input: Hook<'StopFailure'>): void {
    this.#stops = { ...this.#stops, failures: this.#stops.failures + 1 };
    const error = stopFailure(input, { at: this.#io.clock.now() });
    if (error.limit === 'quota') this.#limitWait.decline(this.#gone.signal);
    this.#onEnd(input.last_assistant_message ?? '', 0, error);
  }

  /** The agent is about to hear of a task; should it hear nothing and rest, its turn was over. */
  #awaitNews(text: string): void {
    const news = new AbortController();
    this.#news = news;
    const cancel = this.#io.clock.schedule(NEWS_PATIENCE_MS, () => void this.#endAtRest(text, news.signal));
    news.signal.addEventListener('abort', cancel, { once: true });
  }

  async #endAtRest(text: string, news: AbortSignal): Promise<void> {
    await this.#rest.wait(news);
    if (!news.aborted) this.#onEnd(text, 0);
  }

  #onEnd(text: string, backgroundTasks: number, error?: TurnError): void {
    if (backgroundTasks === 0) this.#rest.turnEnded();
    this.#witness.end();
    if (!this.#delivery.isAccepted) return;
    if (backgroundTasks === 0) this.#delivery.forget();
    this.#mayWake = backgroundTasks > 0;
    this.#io.tell({ by: 'agent', text });
    this.#reportEnd({
      kind: 'agent_end',
      at: this.#io.clock.now(),
      text,
      backgroundTasks,
      ...(error === undefined ? {} : { error }),
    });
  }

  #reportEnd(end: Extract<Evidence, { kind: 'agent_end' | 'at_rest' }>): void {
    this.#isEnding = end.kind === 'agent_end' || end.error === undefined;
    this.#io.report(end);
    this.#isEnding = false;
  }

  /** The hook that would have told of the end is lost. */
  #onRest(rest: Extract<Evidence, { kind: 'at_rest' }>): void {
    if (!this.#delivery.isAccepted) return;
    this.#delivery.forget();
    this.#rest.turnEnded();
    if (rest.error?.limit === 'quota') this.#limitWait.decline(this.#gone.signal);
    const error = turnError('agent_failed', 'The agent rests, and no hook has told the end of its turn.');
    this.#io.tell({ by: 'agent', text: rest.text });
    this.#io.report({ kind: 'lost', at: rest.at, error, source: 'agent_end' });
    this.#reportEnd(rest);
  }

  /** Words of tools count for the prompt that was accepted; what comes late belongs to the one before. */
  #tell(words: readonly Words[]): void {
    if (!this.#delivery.isAccepted) return;
    for (const piece of words) this.#io.tell(piece);
  }
}

function isOfSubagent({ agent_id: id }: { readonly agent_id?: string | null | undefined }): boolean {
  return typeof id === 'string';
}
