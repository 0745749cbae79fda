import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import type { AgentIo } from './agent-driver.ts';

/** Escape stops a turn. Pressed twice on an idle box it opens a menu, so there is time between two presses. */
const ESCAPE = '\x1b';
const PRESS_AGAIN_MS = 1500;
const LOOK_AGAIN_MS = 30;
/** Looks in a row that must find the agent idle: its status follows the facts by a moment. */
const IDLE_LOOKS = 3;
/** The first sign of the terminal's title while Claude Code is not working. */
const IDLE_TITLE = '✳';
// oxlint-disable-next-line no-control-regex -- the sequence that sets a terminal's title begins and ends with one
const TITLE = /\u001b\]0;([^\u0007\u001b]*)(?:\u0007|\u001b\\)/g;
const LONGEST_TITLE = 512;

const statusFileSchema = z.looseObject({ status: z.enum(['idle', 'busy', 'waiting']).optional().catch(undefined) });

/** Knows whether Claude Code is at rest, and brings it there. No hook tells of an interrupt, so this looks for itself. */
export class ClaudeRest {
  readonly #io: AgentIo;
  readonly #statusFolder: string;
  readonly #isQuiet: () => boolean;
  #title = '';
  #carry = '';

  constructor({
    io,
    statusFolder,
    isQuiet,
  }: {
    readonly io: AgentIo;
    readonly statusFolder: string;
    readonly isQuiet: () => boolean;
  }) {
    this.#io = io;
    this.#statusFolder = statusFolder;
    this.#isQuiet = isQuiet;
  }

  onOutput(bytes: Uint8Array): void {
    const text = this.#carry + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    for (const [, title = ''] of text.matchAll(TITLE)) this.#title = Buffer.from(title, 'latin1').toString('utf8');
    const open = text.lastIndexOf('\u001b]0;');
    this.#carry = open === -1 || text.length - open > LONGEST_TITLE ? text.slice(-4) : text.slice(open);
  }

  /** Interrupts and resolves when the agent rests, or when `signal` aborts. */
  async reach(signal: AbortSignal): Promise<void> {
    let pressedAt = Number.NEGATIVE_INFINITY;
    let idleLooks = 0;
    while (!signal.aborted && idleLooks < IDLE_LOOKS) {
      const now = this.#io.clock.now();
      if (now - pressedAt >= PRESS_AGAIN_MS && idleLooks === 0) {
        pressedAt = now;
        await this.#io.write(ESCAPE).catch(() => undefined);
      }
      await this.#pause();
      idleLooks = (await this.#isIdle()) ? idleLooks + 1 : 0;
    }
  }

  /** Resolves when the agent rests by itself, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    for (let idleLooks = 0; !signal.aborted && idleLooks < IDLE_LOOKS;) {
      await this.#pause();
      idleLooks = (await this.#isIdle()) ? idleLooks + 1 : 0;
    }
  }

  async #isIdle(): Promise<boolean> {
    const status = await this.#status();
    if (status !== undefined) return status === 'idle';
    return this.#title.startsWith(IDLE_TITLE) && this.#isQuiet();
  }

  /** The agent's own word, where its version gives one. */
  async #status(): Promise<'idle' | 'busy' | 'waiting' | undefined> {
    try {
      const text = await readFile(join(this.#statusFolder, `${this.#io.pid}.json`), 'utf8');
      const parsed = statusFileSchema.safeParse(JSON.parse(text));
      return parsed.success ? parsed.data.status : undefined;
    } catch {
      return undefined;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#io.clock.schedule(LOOK_AGAIN_MS, resolve);
    });
  }
}
