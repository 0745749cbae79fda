import type { AgentIo } from '../../agent-driver.ts';

const ESCAPE = '\x1b';
/** A loaded machine paints late. */
const SHOWN_WITHIN_MS = 5000;
const LOOK_AGAIN_MS = 100;
/** Pressed twice on an idle box it opens a menu, so there is time between two presses. */
const PRESS_AGAIN_MS = 1500;
const PRESSES = 3;
/**
 * The row that 2.1.329 shows below its box, or in place of it where a user's settings keep it from waiting unasked. What it
 * says of it in the conversation stays there, with another first letter.
 */
const WAITS = /^\s*(?:Continuing automatically at |❯ 1\. Stop and wait for limit to reset)/;

/**
 * Tells Claude Code not to wait for the reset of a usage limit. In a terminal it would go on by itself then, hours after
 * its turn has ended and been told, or show a dialog that keeps the next prompt from its box.
 */
export class ClaudeLimitWait {
  readonly #io: AgentIo;
  #declined: Promise<void> = Promise.resolve();

  constructor(io: AgentIo) {
    this.#io = io;
  }

  /** Resolves when it waits no more or never has, at once where nothing was declined; or by the signal. */
  async declined(signal: AbortSignal): Promise<void> {
    const given = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => given.resolve(), { once: true });
    if (signal.aborted) return;
    await Promise.race([this.#declined, given.promise]);
  }

  /** A turn has ended at a usage limit: what is shown for it is closed. `gone` aborts when there is nobody to tell. */
  decline(gone: AbortSignal): void {
    this.#declined = this.#decline(gone).catch(() => undefined);
  }

  async #decline(gone: AbortSignal): Promise<void> {
    const { clock } = this.#io;
    let presses = 0;
    let due = clock.now();
    for (const until = due + SHOWN_WITHIN_MS; clock.now() < until && presses <= PRESSES && !gone.aborted;) {
      const isShown = (await this.#io.screen()).some((row) => WAITS.test(row));
      if (!isShown && presses > 0) return;
      if (isShown && clock.now() >= due) {
        presses += 1;
        due = clock.now() + PRESS_AGAIN_MS;
        await this.#io.write(ESCAPE);
      }
      await new Promise<void>((resolve) => void clock.schedule(LOOK_AGAIN_MS, resolve));
    }
  }
}
