import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, TurnUsage } from '@semo-office/core';

import { transcriptLength } from './transcript.ts';
import { TranscriptLines } from './transcript-lines.ts';
import { UsageTally, type AgentStops } from './usage-tally.ts';

/** Claude Code writes its transcript every 100 ms at most, so that the last answer follows the Stop hook (2.1.329). */
const LOOK_EVERY_MS = 25;
/** A loaded machine takes longer, but nobody waits for ever for a figure. */
const PATIENCE_MS = 2000;
/** A turn that wrote more than this is not counted. */
const MOST_BYTES = 256 * 1024 * 1024;
const SUBAGENT = /^agent-.+\.jsonl$/;

/** Reads what one turn used from what its agent writes down of it. */
export class ClaudeTurnUsage {
  readonly #clock: Clock;
  readonly #transcript: string;
  readonly #tally: UsageTally;
  /** By path. What is not in it began with the turn. */
  readonly #files: Promise<Map<string, TranscriptLines>>;
  #left = MOST_BYTES;
  #isGone = false;

  /** The agent has taken the prompt. `transcript` is where it keeps the conversation. */
  constructor(clock: Clock, transcript: string) {
    this.#clock = clock;
    this.#transcript = transcript;
    this.#tally = new UsageTally({ since: clock.now() });
    this.#files = this.#begin();
  }

  /** Resolves when it is known what was written before the turn. Never rejects. */
  get begun(): Promise<unknown> {
    return this.#files;
  }

  /** The next turn begins: what is written from now on is not this one's. */
  close(): void {
    this.#tally.close(this.#clock.now());
  }

  /** The agent is gone: all that it wrote is there. */
  agentGone(): void {
    this.#isGone = true;
  }

  /**
   * What the turn used, once it is written down that the agent has stopped as often as it told. `null` where that cannot be read or
   * is not written in time. Never rejects.
   */
  async read(told: AgentStops): Promise<TurnUsage | null> {
    const giveUpAt = this.#clock.now() + PATIENCE_MS;
    let before: string | null = null;
    while (this.#clock.now() < giveUpAt) {
      const isLast = this.#isGone;
      const isRead = await this.#look();
      if (this.#left === 0) return null;
      const total = this.#tally.total();
      const now = isRead && this.#tally.tells(told) ? JSON.stringify(total) : null;
      // The files of subagents are written beside: what two looks agree on is complete.
      if (now !== null && (now === before || isLast)) return total;
      if (isLast) return null;
      before = now;
      await new Promise<void>((resolve) => void this.#clock.schedule(LOOK_EVERY_MS, resolve));
    }
    return null;
  }

  async #begin(): Promise<Map<string, TranscriptLines>> {
    const paths = [this.#transcript, ...(await this.#subagents())];
    const files = paths.map(async (path) => [path, new TranscriptLines(path, await transcriptLength(path))] as const);
    return new Map(await Promise.all(files));
  }

  /** Whether the transcript could be read. */
  async #look(): Promise<boolean> {
    const files = await this.#files;
    for (const path of await this.#subagents()) if (!files.has(path)) files.set(path, new TranscriptLines(path, 0));
    try {
      for (const lines of files.values())
        this.#left -= await lines.read((line) => this.#tally.add(line), { atMost: this.#left });
      return true;
    } catch {
      // Not there yet, or not for us: a first turn is written late, and a container has files of its own.
      return false;
    }
  }

  /** They write beside the transcript, in the folder of the conversation. */
  async #subagents(): Promise<readonly string[]> {
    const folder = join(this.#transcript.replace(/\.jsonl$/, ''), 'subagents');
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => SUBAGENT.test(name)).map((name) => join(folder, name));
  }
}
