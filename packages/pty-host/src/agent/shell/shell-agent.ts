import { SemoError, assertNever, type TranscriptFinding } from '@semo-office/core';

import { deadline } from '../../deadline.ts';
import { ProgramLines } from '../../program-lines.ts';
import type { AgentControl, AgentIo, LeftAgent, Submission } from '../agent-driver.ts';
import { ShellMarkScanner, type ShellMark } from './shell-marks.ts';

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
const CTRL_C = '\x03';
const CTRL_BACKSLASH = '\x1c';
const CTRL_D = '\x04';
/** A shell takes what is typed within this long, or never; large pastes take it a second. */
const ACCEPT_TIMEOUT_MS = 30_000;
/** What was typed by a host that was killed reaches the shell within this long, or never. */
const TAKEN_WITHIN_MS = 2000;
/** Between two presses of Ctrl+C; programs may want a moment to end. */
const PRESS_AGAIN_MS = 500;
/** Presses of Ctrl+C before Ctrl+\, which fewer programs ignore. */
const GENTLE_PRESSES = 4;

type Stage =
  /** Not yet, or not any more, at a prompt of its own. */
  | { readonly kind: 'away' }
  | { readonly kind: 'at_prompt' }
  | {
      readonly kind: 'sent';
      readonly prompt: string;
      readonly verdict: PromiseWithResolvers<void>;
      /** Where the echo of the line ends. */
      readonly outputStart: number;
    }
  | { readonly kind: 'running'; readonly outputStart: number };

/** A running shell, followed by its own marks. */
export class ShellAgent implements AgentControl {
  readonly #io: AgentIo;
  readonly #marks: ShellMarkScanner;
  #stage: Stage = { kind: 'away' };
  #lines = new ProgramLines();
  #atPrompt = Promise.withResolvers<void>();
  /** The status that the shell's next prompt belongs to. */
  #code = 0;
  #finalText: string | null = null;
  /** The prompt that turned out to be incomplete. */
  #givenUp: PromiseWithResolvers<void> | null = null;

  constructor({ io, nonce }: { readonly io: AgentIo; readonly nonce: string }) {
    this.#io = io;
    this.#marks = new ShellMarkScanner(nonce);
  }

  async ready(signal: AbortSignal): Promise<void> {
    await this.#untilPrompt(signal).catch((error: unknown) => {
      const message = `The shell did not come to its prompt. Its terminal shows:\n${this.#io.lastWords()}`;
      throw new SemoError('agent_start_failed', message, { cause: error });
    });
  }

  /** Its own marks tell what became of the command, as they do of any. */
  async takeUp({ turn, caughtUp }: LeftAgent): Promise<TranscriptFinding | null> {
    if (turn === null) return null;
    const { prompt, outputStart, acceptedAt, outputKept } = turn;
    const before = this.#stage;
    const verdict = Promise.withResolvers<void>();
    this.#leavePrompt({ kind: 'sent', prompt, verdict, outputStart });
    if (acceptedAt !== null && !outputKept) this.#begin({ kind: 'sent', prompt, verdict, outputStart }, outputStart);
    await caughtUp;
    using limit = deadline(this.#io.clock, TAKEN_WITHIN_MS);
    await Promise.race([verdict.promise, aborted(limit.signal)]);
    if (this.#stage.kind !== 'sent') return null;
    this.#stage = before;
    if (before.kind === 'at_prompt') this.#atPrompt.resolve();
    return { kind: 'unreadable' };
  }

  onOutput(bytes: Uint8Array, offset: number): void {
    let read = 0;
    for (const mark of this.#marks.read(bytes, offset)) {
      this.#hear(bytes.subarray(read, Math.max(read, mark.start - offset)), offset + read);
      read = Math.max(read, mark.end - offset);
      this.#onMark(mark);
    }
    this.#hear(bytes.subarray(read), offset + read);
  }

  async submit({ prompt, outputStart, signal }: Submission): Promise<void> {
    const verdict = Promise.withResolvers<void>();
    verdict.promise.catch(() => undefined);
    using limit = deadline(this.#io.clock, ACCEPT_TIMEOUT_MS);
    const ended = AbortSignal.any([signal, limit.signal]);
    const refuse = () => verdict.reject(this.#refusal());
    await this.#untilPrompt(ended).catch(() => {
      throw this.#refusal();
    });
    this.#leavePrompt({ kind: 'sent', prompt, verdict, outputStart });
    this.#finalText = null;
    ended.addEventListener('abort', refuse, { once: true });
    try {
      await this.#io.write(`${PASTE_START}${asOne(prompt)}${PASTE_END}\r`);
      await verdict.promise;
    } finally {
      ended.removeEventListener('abort', refuse);
    }
  }

  finalText(outputStart: number): string {
    return this.#finalText ?? this.#textSince(outputStart);
  }

  async interrupt(signal: AbortSignal): Promise<void> {
    for (let presses = 0; this.#stage.kind !== 'at_prompt' && !signal.aborted; presses += 1) {
      await this.#io.write(presses < GENTLE_PRESSES ? CTRL_C : CTRL_BACKSLASH).catch(() => undefined);
      using limit = deadline(this.#io.clock, PRESS_AGAIN_MS);
      await this.#untilPrompt(AbortSignal.any([signal, limit.signal])).catch(() => undefined);
    }
  }

  async leave(): Promise<void> {
    const busy = this.#stage.kind === 'at_prompt' ? '' : CTRL_C;
    // The second one tells a shell with stopped jobs that it is meant.
    await this.#io.write(`${busy}${CTRL_D}${CTRL_D}`).catch(() => undefined);
  }

  onExit(): void {
    if (this.#stage.kind === 'sent') this.#begin(this.#stage, this.#stage.outputStart);
    if (this.#stage.kind === 'running') this.#settle(this.#stage.outputStart);
  }

  #onMark(mark: ShellMark): void {
    switch (mark.kind) {
      case 'taken':
        if (this.#stage.kind === 'sent') this.#stage = { ...this.#stage, outputStart: mark.end };
        return;
      case 'begun':
        if (this.#stage.kind === 'sent') this.#begin(this.#stage, mark.end);
        // A person has typed it.
        else if (this.#stage.kind === 'at_prompt') this.#leavePrompt({ kind: 'away' });
        return;
      case 'more':
        return this.#onIncomplete();
      case 'done':
        this.#code = mark.code;
        return;
      case 'prompt':
        return this.#onPrompt(mark);
      default:
        return assertNever(mark);
    }
  }

  /**
   * A prompt that asks for the rest of a command would wait for ever: Ctrl+C makes the shell give the command up. While it
   * sets up its line editor it may miss a press.
   */
  #onIncomplete(): void {
    const stage = this.#stage;
    if (stage.kind !== 'sent' || this.#givenUp === stage.verdict) return;
    this.#givenUp = stage.verdict;
    const press = () => {
      if (this.#stage.kind !== 'sent' || this.#stage.verdict !== stage.verdict) return;
      this.#io.write(CTRL_C).catch(() => undefined);
      this.#io.clock.schedule(PRESS_AGAIN_MS, press);
    };
    press();
  }

  #onPrompt({ start }: ShellMark): void {
    const stage = this.#stage;
    // Without a mark at its beginning there was nothing to run: a comment, or a line that is no command.
    if (stage.kind === 'sent') this.#begin(stage, stage.outputStart);
    if (this.#stage.kind === 'running') {
      this.#settle(this.#stage.outputStart);
      const code = stage.kind === 'sent' && saysNothing(stage.prompt) ? 0 : this.#code;
      this.#io.report({ kind: 'shell_mark', at: this.#io.clock.now(), code, offset: start });
    }
    this.#stage = { kind: 'at_prompt' };
    this.#atPrompt.resolve();
  }

  #leavePrompt(stage: Stage): void {
    this.#stage = stage;
    this.#atPrompt = Promise.withResolvers();
  }

  #begin({ verdict }: Extract<Stage, { kind: 'sent' }>, outputStart: number): void {
    this.#stage = { kind: 'running', outputStart };
    this.#lines = new ProgramLines();
    this.#io.report({ kind: 'accepted', at: this.#io.clock.now() });
    verdict.resolve();
  }

  #settle(outputStart: number): void {
    this.#finalText = this.#textSince(outputStart);
    for (const line of this.#lines.end()) this.#io.tell({ by: 'program', ...line });
  }

  #textSince(offset: number): string {
    return this.#io.textSince(offset).replace(/^\n/, '').trimEnd();
  }

  #hear(bytes: Uint8Array, offset: number): void {
    if (this.#stage.kind !== 'running' || bytes.length === 0) return;
    this.#io.report({ kind: 'activity', at: this.#io.clock.now() });
    for (const line of this.#lines.read(bytes, offset)) this.#io.tell({ by: 'program', ...line });
  }

  async #untilPrompt(signal: AbortSignal): Promise<void> {
    if (this.#stage.kind === 'at_prompt') return;
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => undefined);
    const onAbort = () => gone.reject(this.#refusal());
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await Promise.race([this.#atPrompt.promise, gone.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #refusal(): SemoError {
    const seen = this.#io.lastWords();
    return new SemoError('prompt_not_accepted', `The shell did not take the command. Its terminal shows:\n${seen}`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Several lines as one command, so that an interrupt ends them all and a mistake in one keeps all from running. */
function asOne(prompt: string): string {
  const text = prompt.replaceAll('\r\n', '\n').trimEnd();
  return text.includes('\n') && !saysNothing(text) ? `{\n${text}\n}` : text;
}

function saysNothing(prompt: string): boolean {
  return prompt.split('\n').every((line) => /^\s*(?:#|$)/.test(line));
}
