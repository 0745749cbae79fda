import { randomUUID } from 'node:crypto';
import { SemoError } from '@semo-office/core';

import { deadline } from '../../../deadline.ts';
import type { AgentControl, AgentIo, Submission } from '../../agent-driver.ts';
import type { ClaudeConversation } from '../conversation/conversations.ts';
import { ClaudeControl } from './control.ts';
import { readClaudeMessage, type ClaudeMessage } from './message.ts';
import { ClaudePermissions } from '../permission.ts';
import type { SessionCredential } from '../session-credential.ts';
import { ClaudeStreamTurn } from './stream-turn.ts';
import { ClaudeWords } from './words.ts';
import type { EventFeed } from './event-feed.ts';
import { keptBytes } from '../../kept-bytes.ts';
import { StreamJsonParser, type StreamJsonEvent } from './stream-json.ts';

/** A prompt that is not taken within this long never will be. A loaded machine takes seconds. */
const ACCEPT_TIMEOUT_MS = 60_000;
/** An interrupt that has not brought rest is repeated after this long. */
const INTERRUPT_AGAIN_MS = 1500;
/** How much of standard error is kept for error messages. */
const COMPLAINT_BYTES = 2048;

/** What a {@link ClaudeStreamAgent} is given. */
export interface ClaudeStreamAgentOptions {
  readonly feed: EventFeed<StreamJsonEvent> | null;
  /** Resolves when the agent is known to keep to its scope; `null` where it has none. */
  readonly proof: Promise<void> | null;
  /** What it is signed in with, where it takes another while it runs. Default: it does not. */
  readonly credential?: SessionCredential | null | undefined;
  /** The conversation it begins with; it hears of another that takes its place. */
  readonly conversation: Pick<ClaudeConversation, 'id' | 'moveTo'>;
  /** Whether it goes on with a conversation of another process. Default false. */
  readonly resumes?: boolean | undefined;
}

/** A running Claude Code that speaks in messages. */
export class ClaudeStreamAgent implements AgentControl {
  readonly #io: AgentIo;
  readonly #feed: EventFeed<StreamJsonEvent> | null;
  readonly #proof: Promise<void> | null;
  readonly #parser = new StreamJsonParser();
  readonly #turn: ClaudeStreamTurn;
  readonly #control: ClaudeControl;
  readonly #permissions: ClaudePermissions;
  readonly #words: ClaudeWords;
  readonly #credential: SessionCredential | null;
  readonly #gone = new AbortController();
  readonly #conversation: Pick<ClaudeConversation, 'id' | 'moveTo'>;
  #conversationId: string | null;
  #wasReset = false;
  #complaint: Buffer = Buffer.alloc(0);
  #onRest: (() => void) | null = null;

  constructor(io: AgentIo, { feed, proof, conversation, resumes, credential = null }: ClaudeStreamAgentOptions) {
    this.#io = io;
    this.#conversationId = conversation.id;
    this.#feed = feed;
    this.#proof = proof;
    this.#credential = credential;
    this.#conversation = conversation;
    this.#turn = new ClaudeStreamTurn({ clock: io.clock, report: (evidence) => io.report(evidence), resumes });
    this.#control = new ClaudeControl((message) => io.write(`${JSON.stringify(message)}\n`));
    this.#permissions = new ClaudePermissions(io, this.#control);
    this.#words = new ClaudeWords((words) => io.tell(words));
  }

  get conversationId(): string | null {
    return this.#conversationId;
  }

  async ready(signal: AbortSignal): Promise<void> {
    await this.#initialized(signal);
    await this.#proof;
  }

  /** Nothing is printed before the first prompt, so readiness is asked for. */
  async #initialized(signal: AbortSignal): Promise<void> {
    try {
      await this.#control.ask({ subtype: 'initialize' }, AbortSignal.any([signal, this.#gone.signal]));
    } catch (thrown) {
      const complaint = this.#complaint.toString('utf8').trim();
      const said = complaint === '' ? SemoError.from(thrown).message : `It said:\n${complaint}`;
      throw new SemoError('agent_start_failed', `Claude Code did not become ready. ${said}`, { cause: thrown });
    }
  }

  onOutput(bytes: Uint8Array): void {
    for (const event of this.#parser.push(bytes)) this.#onEvent(event);
    this.#io.report({ kind: 'activity', at: this.#io.clock.now() });
  }

  onErrorOutput(bytes: Uint8Array): void {
    this.#complaint = keptBytes(Buffer.concat([this.#complaint, bytes]).subarray(-COMPLAINT_BYTES));
  }

  async submit({ prompt, endInput, signal }: Submission): Promise<void> {
    await this.#renewCredential();
    await this.#say(promptBlocks(prompt), signal);
    if (endInput) this.#io.endInput();
  }

  /** Its environment is read at its start; this message changes it, for the requests to come (undocumented). */
  async #renewCredential(): Promise<void> {
    const fresh = await this.#credential?.renewed(this.#io.clock);
    if (fresh === null || fresh === undefined) return;
    const variables = { [fresh.variable]: fresh.value };
    await this.#io.write(`${JSON.stringify({ type: 'update_environment_variables', variables })}\n`);
  }

  async interrupt(signal: AbortSignal): Promise<void> {
    this.#turn.forget();
    const until = AbortSignal.any([signal, this.#gone.signal]);
    // What runs in the background would start the agent again, in the middle of the next turn.
    const stops = this.#turn.tasks.map((id) => this.#control.ask({ subtype: 'stop_task', task_id: id }, until));
    await Promise.allSettled(stops);
    do {
      await this.#control.ask({ subtype: 'interrupt' }, until).catch(() => undefined);
      await this.#rest(until);
    } while (!this.#turn.isAtRest && !until.aborted);
  }

  async reset(signal: AbortSignal): Promise<void> {
    this.#wasReset = false;
    const uuid = await this.#say([{ type: 'text', text: '/clear' }], signal);
    await this.#rest(AbortSignal.any([signal, this.#gone.signal]), ACCEPT_TIMEOUT_MS);
    this.#turn.forget();
    if (this.#wasReset) return;
    throw new SemoError('not_supported', `This version of Claude Code cannot forget its conversation (${uuid}).`);
  }

  async leave(): Promise<void> {
    const { signal } = this.#gone;
    if (!this.#turn.isAtRest) this.#control.ask({ subtype: 'interrupt' }, signal).catch(() => undefined);
    // It goes when its turn is over.
    this.#io.endInput();
  }

  onExit(): void {
    for (const event of this.#parser.end()) this.#onEvent(event);
    this.#gone.abort();
  }

  #onEvent(event: StreamJsonEvent): void {
    if (event.kind === 'message') {
      const { session_id: id } = event.message;
      if (typeof id === 'string') this.#converse(id);
      const message = readClaudeMessage(event.message);
      if (message !== null) this.#onMessage(message);
    }
    this.#feed?.push(event);
  }

  #converse(id: string): void {
    if (id === this.#conversationId) return;
    this.#conversationId = id;
    this.#conversation.moveTo(id);
  }

  /** Until the agent tells the next one's id, that is not known: the one before will not have the next prompt. */
  #onReset(next: string | null): void {
    this.#wasReset = true;
    if (next === null) this.#conversationId = null;
    else this.#converse(next);
  }

  #onMessage(message: ClaudeMessage): void {
    // First, so that what the last words tell is known before they end the turn.
    this.#words.onMessage(message);
    this.#turn.onMessage(message);
    if (message.type === 'control_response') this.#control.onResponse(message);
    // An agent that is gone needs no answer.
    if (message.type === 'control_request') this.#permissions.onRequest(message).catch(() => undefined);
    if (message.type === 'control_cancel_request') this.#permissions.withdraw(message.request_id);
    if (message.type === 'conversation_reset') this.#onReset(message.new_conversation_id ?? null);
    if (this.#turn.isAtRest) this.#onRest?.();
  }

  /** Says something as the user; resolves with its id when the agent has taken it. */
  async #say(content: readonly object[], signal: AbortSignal): Promise<string> {
    const uuid = randomUUID();
    const accepted = this.#turn.offer(uuid);
    const refused = Promise.withResolvers<never>();
    const cancelTimer = this.#io.clock.schedule(ACCEPT_TIMEOUT_MS, () => {
      const sentence = `The agent has not said within ${ACCEPT_TIMEOUT_MS} ms that it took the prompt; it may still.`;
      refused.reject(new SemoError('delivery_unknown', sentence));
    });
    const onGone = () => {
      refused.reject(new SemoError('agent_crashed', 'The agent ended before it had taken the prompt.'));
    };
    const gone = AbortSignal.any([signal, this.#gone.signal]);
    gone.addEventListener('abort', onGone, { once: true });
    if (gone.aborted) onGone();
    const message = { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, uuid };
    try {
      await Promise.race([this.#io.write(`${JSON.stringify(message)}\n`).then(() => accepted), refused.promise]);
      return uuid;
    } finally {
      cancelTimer();
      gone.removeEventListener('abort', onGone);
    }
  }

  /** Resolves when the agent rests, when time is up, or by the signal. */
  async #rest(signal: AbortSignal, limitMs = INTERRUPT_AGAIN_MS): Promise<void> {
    if (this.#turn.isAtRest) return;
    using limit = deadline(this.#io.clock, limitMs);
    await new Promise<void>((resolve) => {
      this.#onRest = resolve;
      const until = AbortSignal.any([signal, limit.signal]);
      until.addEventListener('abort', () => resolve(), { once: true });
      if (until.aborted) resolve();
    });
    this.#onRest = null;
  }
}

/** Claude Code runs a lone text that begins with a slash as a command of its own; beside another block it is just text. */
function promptBlocks(prompt: string): object[] {
  const text = { type: 'text', text: prompt };
  // The blank block is dropped on the way: the model gets the prompt alone.
  return prompt.startsWith('/') ? [text, { type: 'text', text: ' ' }] : [text];
}
