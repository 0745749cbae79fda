import { SemoError, assertNever, type TurnError, type Words } from '@semo-office/core';

import { deadline } from '../deadline.ts';
import type { AgentControl, AgentIo, Submission } from './agent-driver.ts';
import { ClaudeBox } from './claude-box.ts';
import { ClaudeDialogs } from './claude-dialogs.ts';
import type { HookInput } from './claude-hook-listener.ts';
import { checkPasteable, exactLinesNote, isSamePrompt, isSelfStarted } from './claude-paste.ts';
import { ClaudeRest } from './claude-rest.ts';
import { ClaudeTasks } from './claude-tasks.ts';
import { failureWords, toolWords } from './claude-tool-words.ts';
import { stopFailure } from './claude-failure.ts';

/** A prompt that is not taken within this long never will be. A loaded machine takes seconds. */
const ACCEPT_TIMEOUT_MS = 60_000;
/** How often a prompt is offered to an input box that has something else in it. */
const OFFERS = 3;
/** How long to wait for rest where it only helps: before leaving, and before the box is emptied. */
const REST_PATIENCE_MS = 2000;
/** The news of a task that has ended follow the Stop hook at once; an agent that ended the task itself gets none. */
const NEWS_PATIENCE_MS = 2000;

type Hook<Name extends HookInput['hook_event_name']> = Extract<HookInput, { hook_event_name: Name }>;

/** Where the present prompt stands. Only an accepted one can be ended by a hook: a late Stop belongs to the turn before. */
type Delivery =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'offered';
      readonly prompt: string;
      readonly verdict: PromiseWithResolvers<'accepted' | 'garbled'>;
    }
  | { readonly kind: 'accepted' }
  /** Given up before it was taken: should it be taken after all, it is kept from the model. */
  | { readonly kind: 'withdrawn'; readonly prompt: string };

/** A running Claude Code in a terminal. */
export class ClaudeAgent implements AgentControl {
  readonly #statusFolder: string;
  #io!: AgentIo;
  #box!: ClaudeBox;
  #rest!: ClaudeRest;
  #dialogs!: ClaudeDialogs;
  #delivery: Delivery = { kind: 'none' };
  /** Its last turn left background tasks: it may be at work again without a prompt. */
  #mayWake = false;
  readonly #tasks = new ClaudeTasks();
  /** Aborts when the news come that the agent waits for, or nobody wants to know them any more. */
  #news = new AbortController();
  #onConversationEnd: (() => void) | null = null;

  constructor({ statusFolder }: { readonly statusFolder: string }) {
    this.#statusFolder = statusFolder;
  }

  attach(io: AgentIo): void {
    this.#io = io;
    this.#box = new ClaudeBox(io);
    this.#dialogs = new ClaudeDialogs(io);
    this.#rest = new ClaudeRest({ io, statusFolder: this.#statusFolder, isQuiet: () => this.#box.isQuiet() });
  }

  async ready(signal: AbortSignal): Promise<void> {
    await this.#box.painted(signal);
  }

  onOutput(bytes: Uint8Array): void {
    this.#box.onOutput(bytes);
    this.#rest.onOutput(bytes);
    this.#io.report({ kind: 'activity', at: this.#io.clock.now() });
  }

  async submit({ prompt, signal }: Submission): Promise<void> {
    if (this.#mayWake) await this.#restFor(signal);
    this.#mayWake = false;
    checkPasteable(prompt);
    for (let offer = 1; offer <= OFFERS; offer += 1) {
      if ((await this.#offer(prompt, signal)) === 'accepted') return;
      // Something was in the box, from a person or an interrupted prompt. The hook kept it from the model, and the CLI
      // puts it back into the box when it has come to rest.
      await this.#restFor(signal);
      await this.#box.clear();
    }
    throw new SemoError(
      'prompt_not_accepted',
      `The agent got another text than was sent, ${OFFERS} times. Nothing reached the model. Look at the screen with getOutput({ as: "screen" }).`,
    );
  }

  async interrupt(signal: AbortSignal): Promise<void> {
    this.#news.abort();
    if (this.#delivery.kind === 'offered') {
      // There is nothing to interrupt yet, and an Escape would only open a menu.
      this.#delivery = { kind: 'withdrawn', prompt: this.#delivery.prompt };
      await this.#rest.wait(signal);
    } else {
      this.#delivery = { kind: 'none' };
      await this.#rest.reach(signal);
    }
    // Before the first token an interrupted prompt comes back into the box.
    await this.#box.clear();
  }

  async reset(signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#onConversationEnd = ended.resolve;
    const giveUp = this.#refuseAfter(ACCEPT_TIMEOUT_MS, signal);
    try {
      await this.#box.command('/clear');
      await Promise.race([ended.promise, giveUp.promise]);
      await this.#box.settled();
    } finally {
      this.#onConversationEnd = null;
      giveUp.cancel();
    }
  }

  async leave(): Promise<void> {
    try {
      // While it works, what is typed would only be queued.
      using limit = deadline(this.#io.clock, REST_PATIENCE_MS);
      if (this.#delivery.kind === 'accepted') await this.#rest.reach(limit.signal);
      await this.#box.clear();
      await this.#box.command('/exit');
    } catch {
      // Gone already; the ladder looks for itself.
    }
  }

  onExit(): void {
    this.#news.abort();
    this.#box.close();
  }

  /** What the agent tells through its hooks. */
  async onHook(input: HookInput, withdrawn: AbortSignal): Promise<object> {
    switch (input.hook_event_name) {
      case 'UserPromptSubmit':
        return this.#onPrompt(input);
      case 'PostToolUse':
        // What a subagent starts is news for the subagent.
        if (input.agent_id === undefined) this.#tasks.onTool(input.tool_response);
        this.#dialogs.onToolUsed(input);
        this.#tell(toolWords({ tool: input.tool_name, input: input.tool_input, response: input.tool_response }));
        return {};
      case 'PostToolUseFailure':
        this.#dialogs.onToolUsed(input);
        this.#tell(failureWords({ tool: input.tool_name, input: input.tool_input, error: input.error ?? '' }));
        return {};
      case 'Stop':
        this.#onStop(input);
        return {};
      case 'StopFailure':
        // Of a subagent: its agent is told, and goes on.
        if (input.agent_id === undefined) this.#onEnd(input.last_assistant_message ?? '', 0, stopFailure(input));
        return {};
      case 'PermissionRequest':
        return this.#dialogs.onRequest(input, withdrawn);
      case 'SessionEnd':
        this.#onConversationEnd?.();
        return {};
      default:
        return assertNever(input);
    }
  }

  async #restFor(signal: AbortSignal): Promise<void> {
    using limit = deadline(this.#io.clock, REST_PATIENCE_MS);
    await this.#rest.wait(AbortSignal.any([signal, limit.signal]));
  }

  async #offer(prompt: string, signal: AbortSignal): Promise<'accepted' | 'garbled'> {
    const verdict = Promise.withResolvers<'accepted' | 'garbled'>();
    this.#delivery = { kind: 'offered', prompt, verdict };
    this.#rest.promptOffered();
    const giveUp = this.#refuseAfter(ACCEPT_TIMEOUT_MS, signal);
    const pressing = this.#box.paste(prompt, {
      verdict: verdict.promise,
      beforeAgain: () => this.#rest.stopLateWork(),
    });
    try {
      return await Promise.race([verdict.promise, giveUp.promise, pressing.then(() => verdict.promise)]);
    } finally {
      giveUp.cancel();
      // Whatever came of it, Enter is not pressed on it any more.
      verdict.resolve('garbled');
    }
  }

  #onPrompt({ prompt: reported }: Hook<'UserPromptSubmit'>): object {
    this.#news.abort();
    this.#tasks.onNotification(reported);
    if (isSelfStarted(reported) && this.#delivery.kind === 'accepted') {
      this.#io.report({ kind: 'self_started', at: this.#io.clock.now(), reason: 'task_notification' });
    }
    if (this.#delivery.kind === 'withdrawn' && isSamePrompt(reported, this.#delivery.prompt)) {
      return { decision: 'block', reason: 'This prompt was taken back.', suppressOutput: true };
    }
    if (this.#delivery.kind !== 'offered' || isSelfStarted(reported)) return {};
    const { prompt, verdict } = this.#delivery;
    if (!isSamePrompt(reported, prompt)) {
      verdict.resolve('garbled');
      return { decision: 'block', reason: 'This is not the prompt that was sent.', suppressOutput: true };
    }
    this.#delivery = { kind: 'accepted' };
    this.#tasks.forget();
    this.#rest.turnBegan();
    this.#io.report({ kind: 'accepted', at: this.#io.clock.now() });
    verdict.resolve('accepted');
    const note = exactLinesNote(prompt);
    return note === null ? {} : { hookSpecificOutput: { hookEventName: 'UserPromptSubmit', additionalContext: note } };
  }

  #onStop({ last_assistant_message: text, background_tasks: tasks }: Hook<'Stop'>): void {
    const running = (tasks ?? []).filter(
      ({ status }) => status === undefined || status === 'running' || status === 'pending',
    );
    const untold = running.length === 0 ? this.#tasks.untold : 0;
    this.#onEnd(text ?? '', running.length + untold);
    if (untold > 0) this.#awaitNews(text ?? '');
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
    if (this.#delivery.kind !== 'accepted') return;
    if (backgroundTasks === 0) this.#delivery = { kind: 'none' };
    this.#mayWake = backgroundTasks > 0;
    this.#io.tell({ by: 'agent', text });
    this.#io.report({
      kind: 'agent_end',
      at: this.#io.clock.now(),
      text,
      backgroundTasks,
      ...(error === undefined ? {} : { error }),
    });
  }

  /** Words of tools count for the prompt that was accepted; what comes late belongs to the one before. */
  #tell(words: readonly Words[]): void {
    if (this.#delivery.kind !== 'accepted') return;
    for (const piece of words) this.#io.tell(piece);
  }

  /** A promise that rejects when time is up or the session ends. */
  #refuseAfter(timeoutMs: number, signal: AbortSignal): { promise: Promise<never>; cancel: () => void } {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    const cancelTimer = this.#io.clock.schedule(timeoutMs, () => {
      const seen = this.#io.lastWords();
      reject(
        new SemoError(
          'prompt_not_accepted',
          `The agent did not take the prompt within ${timeoutMs} ms. Its terminal shows:\n${seen}`,
        ),
      );
    });
    const onAbort = () => {
      reject(new SemoError('agent_crashed', 'The agent ended before it had taken the prompt.'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    return {
      promise,
      cancel: () => {
        cancelTimer();
        signal.removeEventListener('abort', onAbort);
      },
    };
  }
}
