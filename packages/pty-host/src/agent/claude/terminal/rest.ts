import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import type { AgentIo } from '../../agent-driver.ts';

/** Escape stops a turn. Pressed twice on an idle box it opens a menu, so there is time between two presses. */
const ESCAPE = '\x1b';
const PRESS_AGAIN_MS = 1500;
const LOOK_AGAIN_MS = 30;
/** A turn that never shows that it is at work, in status or title, has ended at once. A loaded machine shows it late. */
const BUSY_SHOWN_WITHIN_MS = 3000;
/** Looks in a row that must find the agent idle: its status follows the facts by a moment. */
const IDLE_LOOKS = 3;
/**
 * Between taking a prompt and asking the model Claude Code looks idle for a moment and is deaf to Escape (2.1.329, tens of
 * milliseconds, more on a loaded machine). A look at a younger turn proves no rest.
 */
const DEAF_MS = 500;
/** A title that contradicts the status follows it by a moment; after this long it was set by somebody else. */
const TITLE_LAG_MS = 2000;
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
  /** Whether the accepted turn has shown that it is at work: until then its idle looks are those of before. */
  #hasShownBusy = true;
  /** Whether the last turn was interrupted and no other has begun: whatever works now is that turn, or one of its own. */
  #isInterrupted = false;
  /** Whether a prompt is on its way: what shows itself busy may then be the work on that one. */
  #isOffered = false;
  #pressedAt = Number.NEGATIVE_INFINITY;
  #beganAt = Number.NEGATIVE_INFINITY;

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
    for (const [, title = ''] of text.matchAll(TITLE)) this.#onTitle(Buffer.from(title, 'latin1').toString('utf8'));
    const open = text.lastIndexOf('\u001b]0;');
    this.#carry = open === -1 || text.length - open > LONGEST_TITLE ? text.slice(-4) : text.slice(open);
  }

  get hasShownBusy(): boolean {
    return this.#hasShownBusy;
  }

  /** Where the agent is seen at rest now; `null` while it is at work or waits for a person. */
  async seenAt(): Promise<'status_file' | 'title' | null> {
    const status = await this.#status();
    if (status === 'busy') this.#hasShownBusy = true;
    if (status !== undefined) return status === 'idle' ? 'status_file' : null;
    return this.#title.startsWith(IDLE_TITLE) && this.#isQuiet() ? 'title' : null;
  }

  /** Whether it shows a question to whoever sits before it. */
  async waitsForPerson(): Promise<boolean> {
    return (await this.#status()) === 'waiting';
  }

  /** Another host has interrupted the last turn, and may not have lived to see it end. */
  takenUpInterrupted(): void {
    this.#isInterrupted = true;
  }

  /** A prompt was accepted: the agent will be busy, and may not show it yet. */
  turnBegan(): void {
    this.#beganAt = this.#io.clock.now();
    this.#hasShownBusy = false;
    this.#isInterrupted = false;
    this.#isOffered = false;
  }

  /** A prompt is being typed. */
  promptOffered(): void {
    this.#isOffered = true;
  }

  /** The agent itself has said that its turn is over. */
  turnEnded(): void {
    this.#hasShownBusy = true;
  }

  /** Interrupts and resolves when the agent rests, or when `signal` aborts. */
  async reach(signal: AbortSignal): Promise<void> {
    await this.#shownBusy(signal);
    this.#isInterrupted = true;
    await this.#press();
    await this.#pressedToRest(signal);
  }

  /**
   * Before the next prompt: an interrupted turn that was deaf to the Escape may be at work after all. What is typed then is
   * accepted by the hook and queued behind it, for as long as it lasts (2.1.329).
   */
  async interruptedRests(signal: AbortSignal): Promise<void> {
    if (this.#isInterrupted && !(await this.#isSurelyIdle())) await this.#pressedToRest(signal);
  }

  /** Interrupts again what an Escape has missed. */
  async stopLateWork(): Promise<void> {
    if (this.#isInterrupted && !(await this.#isIdle())) await this.#press();
  }

  async #pressedToRest(signal: AbortSignal): Promise<void> {
    let idleSince: number | null = null;
    for (let sureLooks = 0; !signal.aborted && sureLooks < IDLE_LOOKS;) {
      await this.#pause();
      const now = this.#io.clock.now();
      idleSince = (await this.#isIdle()) ? (idleSince ?? now) : null;
      const isSure = idleSince !== null && (this.#titleRests || now - idleSince >= TITLE_LAG_MS);
      sureLooks = isSure && now - this.#beganAt >= DEAF_MS ? sureLooks + 1 : 0;
      if (!isSure) await this.#press();
    }
  }

  /** Resolves when the agent rests by itself, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    for (let idleLooks = 0; !signal.aborted && idleLooks < IDLE_LOOKS;) {
      await this.#pause();
      idleLooks = (await this.#isIdle()) ? idleLooks + 1 : 0;
    }
  }

  /** An Escape that comes before the turn has begun is lost, and the turn would go on behind our back. */
  async #shownBusy(signal: AbortSignal): Promise<void> {
    const since = this.#io.clock.now();
    while (!this.#hasShownBusy && !signal.aborted && this.#io.clock.now() - since < BUSY_SHOWN_WITHIN_MS) {
      if (!(await this.#isIdle())) this.#hasShownBusy = true;
      else await this.#pause();
    }
    this.#hasShownBusy = true;
  }

  #onTitle(title: string): void {
    this.#title = title;
    if (title.startsWith(IDLE_TITLE)) return;
    this.#hasShownBusy = true;
    if (this.#isInterrupted && !this.#isOffered) void this.#press();
  }

  async #press(): Promise<void> {
    const now = this.#io.clock.now();
    if (now - this.#pressedAt < PRESS_AGAIN_MS) return;
    this.#pressedAt = now;
    await this.#io.write(ESCAPE).catch(() => undefined);
  }

  /** Where no title was ever seen it contradicts nothing. */
  get #titleRests(): boolean {
    return this.#title === '' || this.#title.startsWith(IDLE_TITLE);
  }

  async #isSurelyIdle(): Promise<boolean> {
    return this.#titleRests && (await this.#isIdle());
  }

  async #isIdle(): Promise<boolean> {
    return (await this.seenAt()) !== null;
  }

  /** The agent's own word, where its version gives one. */
  async #status(): Promise<'idle' | 'busy' | 'waiting' | undefined> {
    const { pid } = this.#io;
    if (pid === null) return undefined;
    try {
      const text = await readFile(join(this.#statusFolder, `${pid}.json`), 'utf8');
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
