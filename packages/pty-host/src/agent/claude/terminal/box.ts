import { SemoError, type Cancel } from '@semo-office/core';

import type { AgentIo } from '../../agent-driver.ts';
import { pasteBytes } from './paste.ts';
import { keptBytes } from '../../kept-bytes.ts';

/** The sign before Claude Code's input box. */
const PROMPT_SIGN = Buffer.from('❯');
/** The terminal is quiet once nothing was painted for this long; the box has then taken what was typed. */
const QUIET_MS = 25;
/** A spinner never rests, so no wait for quiet is longer than this. */
const SETTLE_LIMIT_MS = 150;
/** An Enter that is not answered is pressed again after these times. On an empty box it does nothing. */
const ENTER_AGAIN_MS = [1000, 2000, 4000, 8000, 16_000] as const;
/** Ctrl+U takes one line; an interrupted prompt that comes back has a few at most, longer ones come back collapsed. */
const CLEAR_PRESSES = 12;
const KILL_LINE = '\x15';

/** How Enter is pressed on a pasted prompt. */
interface Pressing {
  /** Settles when the prompt has been taken, or refused. */
  readonly verdict: Promise<unknown>;
  readonly beforeAgain: () => Promise<void>;
}

/** Claude Code's input box: sees when it is painted, pastes into it, clears it. */
export class ClaudeBox {
  readonly #io: AgentIo;
  readonly #painted = Promise.withResolvers<void>();
  #isPainted = false;
  #carry: Buffer = Buffer.alloc(0);
  #lastPaintAt = Number.NEGATIVE_INFINITY;

  constructor(io: AgentIo) {
    this.#io = io;
    this.#painted.promise.catch(() => undefined);
  }

  /** Resolves when the box can be typed into; what is typed before is lost. @throws SemoError `agent_start_failed`. */
  async painted(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.close();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await this.#painted.promise;
    signal.removeEventListener('abort', stop);
  }

  onOutput(bytes: Uint8Array): void {
    this.#lastPaintAt = this.#io.clock.now();
    if (this.#isPainted) return;
    const text = Buffer.concat([this.#carry, bytes]);
    this.#carry = keptBytes(text.subarray(Math.max(0, text.length - PROMPT_SIGN.length + 1)));
    if (!text.includes(PROMPT_SIGN)) return;
    this.#isPainted = true;
    this.#painted.resolve();
  }

  isQuiet(): boolean {
    return this.#io.clock.now() - this.#lastPaintAt >= QUIET_MS;
  }

  /** Pastes a prompt and presses Enter until `verdict` settles; `beforeAgain` is done before each further press. */
  async paste(prompt: string, { verdict, beforeAgain }: Pressing): Promise<void> {
    await this.#io.write(pasteBytes(prompt));
    await this.settled();
    await this.#io.write('\r');
    this.#pressAgain({ verdict, beforeAgain });
  }

  /** Types one of the CLI's own commands. */
  async command(command: `/${string}`): Promise<void> {
    await this.#io.write(command);
    await this.settled();
    await this.#io.write('\r');
  }

  async clear(): Promise<void> {
    await this.#io.write(KILL_LINE.repeat(CLEAR_PRESSES));
    await this.settled();
  }

  /** Resolves when the terminal has painted and rests, or after a short while. */
  settled(): Promise<void> {
    const { clock } = this.#io;
    const since = clock.now();
    return new Promise((resolve) => {
      const look = () => {
        const now = clock.now();
        const rested = this.#lastPaintAt >= since && now - this.#lastPaintAt >= QUIET_MS;
        if (rested || now - since >= SETTLE_LIMIT_MS) resolve();
        else clock.schedule(QUIET_MS / 5, look);
      };
      look();
    });
  }

  /** The agent is gone or was never there. */
  close(): void {
    if (this.#isPainted) return;
    const seen = this.#io.lastWords();
    const shows = seen === '' ? 'It printed nothing.' : `Its terminal shows:\n${seen}`;
    this.#painted.reject(
      new SemoError('agent_start_failed', `Claude Code did not get as far as its input box. ${shows}`),
    );
  }

  #pressAgain({ verdict, beforeAgain }: Pressing): void {
    let cancel: Cancel = () => undefined;
    let settled = false;
    const press = (times: readonly number[]) => {
      const [first, ...rest] = times;
      if (first === undefined || settled) return;
      cancel = this.#io.clock.schedule(first, () => {
        beforeAgain()
          .then(() => (settled ? undefined : this.#io.write('\r')))
          .then(
            () => press(rest),
            () => undefined,
          );
      });
    };
    const stop = () => {
      settled = true;
      cancel();
    };
    verdict.then(stop, stop);
    press(ENTER_AGAIN_MS);
  }
}
