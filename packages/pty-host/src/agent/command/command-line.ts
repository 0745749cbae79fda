import { randomBytes } from 'node:crypto';
import { SemoError, type AgentSpec, type TranscriptFinding } from '@semo-office/core';
import { z } from 'zod';

import type { AgentControl, AgentDriver, AgentIo, Launch, LeftAgent, Submission } from '../agent-driver.ts';
import { EchoMatcher } from './echo-matcher.ts';
import { findExecutable } from '../executable.ts';
import { brokenMarker } from './marker-rows.ts';
import { MarkerWatch } from './marker-watch.ts';
import { MAX_LINE_BYTES, quoteForLineMode, readTerminalMode } from './terminal-mode.ts';

/** The variable in which a command finds what to print when it is done. */
const MARKER_VARIABLE = 'SEMO_DONE_MARKER';
/** After an interrupt the command is at rest once it has been quiet for this long, */
const REST_QUIET_MS = 200;
/** or after this long, however noisy it is. */
const REST_LIMIT_MS = 3000;

/** A program that prints nothing as it starts is taken to be ready after this long, */
const START_SILENT_MS = 300;
/** one that does once it has been quiet for this long, */
const START_QUIET_MS = 60;
/** or after this long, however noisy it is. */
const START_LIMIT_MS = 1500;
const START_LOOK_MS = 30;

const keepsakeSchema = z.object({ marker: z.string() });

type CommandSpec = Extract<AgentSpec, { kind: 'command' }>;

/**
 * Drives any CLI that reads prompts from its input. It has no signal of its own, so a turn ends when the program prints
 * the nonce it finds in `SEMO_DONE_MARKER`, when it exits, or, inferred, when it has spoken and then falls silent.
 */
export function createCommandDriver(): AgentDriver {
  return {
    kind: 'command',
    async prepare(context) {
      const spec = context.spec.agent as CommandSpec;
      const [name = '', ...args] = spec.command;
      const program = await findExecutable({
        name,
        path: context.baseEnv['PATH'] ?? '',
        folder: context.folder,
        hint: 'Give the path of the program, or put its folder on the PATH.',
      });
      const marker = `SEMO-DONE-${randomBytes(12).toString('hex')}`;
      const env = { ...context.baseEnv, TMPDIR: context.folders.tmp, [MARKER_VARIABLE]: marker };
      return { ...commandTraits(marker, spec.over ?? 'terminal'), command: [program, ...args], env };
    },
    async takeUp({ keepsake, baseEnv }) {
      const { marker } = keepsakeSchema.parse(keepsake);
      return { ...commandTraits(marker, 'terminal'), command: [], env: baseEnv };
    },
  };
}

/** What a running program is spoken with by. */
function commandTraits(marker: string, over: 'terminal' | 'pipe'): Omit<Launch, 'command' | 'env'> {
  const keepsake: z.output<typeof keepsakeSchema> = { marker };
  return {
    over,
    // Otherwise an error could land in the middle of a line.
    errorsApart: over === 'pipe',
    version: null,
    configHome: null,
    keepsake,
    monitor: { sources: ['exit', 'screen_marker', 'silence'], exitMeans: 'status' },
    attach: (io) => new CommandAgent(io, marker),
    dispose: () => Promise.resolve(),
  };
}

class CommandAgent implements AgentControl {
  readonly #io: AgentIo;
  readonly #marker: string;
  readonly #watch: MarkerWatch;
  /** On pipes, what comes over standard error. */
  readonly #errorWatch: MarkerWatch;
  #echo = new EchoMatcher('');
  #lastOutputAt = 0;
  #hasSpoken = false;

  constructor(io: AgentIo, marker: string) {
    this.#io = io;
    this.#marker = marker;
    this.#watch = this.#newWatch();
    this.#errorWatch = this.#newWatch();
  }

  /** A program may change its terminal's mode as it starts, and throw away what was typed before. */
  async ready(signal: AbortSignal): Promise<void> {
    const { device, clock } = this.#io;
    if (device === null) return;
    const since = clock.now();
    while (!signal.aborted) {
      const now = clock.now();
      const hasSpoken = this.#lastOutputAt > 0;
      if (now - since >= (hasSpoken ? START_LIMIT_MS : START_SILENT_MS)) return;
      if (hasSpoken && now - this.#lastOutputAt >= START_QUIET_MS) return;
      if ((await readTerminalMode(device)) === 'raw') return;
      await new Promise<void>((resolve) => {
        clock.schedule(START_LOOK_MS, resolve);
      });
    }
  }

  /** A program tells nothing when it takes a prompt: that it printed something since is all there is to go by. */
  async takeUp({ turn, turnsBefore, caughtUp }: LeftAgent): Promise<TranscriptFinding | null> {
    if (turn === null) {
      this.#watch.takeUp(turnsBefore);
      return null;
    }
    this.#watch.takeUp(turnsBefore, turn.prompt);
    this.#echo = new EchoMatcher(turn.prompt);
    this.#hasSpoken = false;
    await caughtUp;
    if (turn.acceptedAt === null && !this.#hasSpoken)
      throw new SemoError('delivery_unknown', 'Nothing tells whether the program has the prompt it was sent last.');
    this.#io.report({ kind: 'accepted', at: this.#io.clock.now() });
    return null;
  }

  onOutput(bytes: Uint8Array, offset: number): void {
    const io = this.#io;
    this.#lastOutputAt = io.clock.now();
    this.#hasSpoken = true;
    if (!this.#echo.consume(bytes)) io.report({ kind: 'activity', at: this.#lastOutputAt });
    this.#watch.read(bytes, offset);
  }

  onErrorOutput(bytes: Uint8Array, offset: number): void {
    this.#lastOutputAt = this.#io.clock.now();
    this.#io.report({ kind: 'activity', at: this.#lastOutputAt });
    this.#errorWatch.read(bytes, offset);
  }

  async submit({ prompt, endInput }: Submission): Promise<void> {
    const text = await this.#inputFor(prompt);
    await Promise.all([this.#watch.begin(prompt), this.#errorWatch.begin(prompt)]);
    this.#echo = new EchoMatcher(this.#io.device === null ? '' : prompt);
    try {
      await this.#io.write(text);
      if (endInput) this.#io.endInput();
    } catch (error) {
      // A program may answer without reading all of its input; then its exit is the answer.
      if (SemoError.from(error).code !== 'session_terminated') throw error;
    }
    this.#io.report({ kind: 'accepted', at: this.#io.clock.now() });
  }

  finalText(outputStart: number): string {
    const text = this.#io.textSince(outputStart);
    const echoed = this.#echo.text;
    const own = echoed !== '' && text.startsWith(echoed) ? text.slice(echoed.length) : text;
    return own.replaceAll(brokenMarker(this.#marker), '').trim();
  }

  async interrupt(signal: AbortSignal): Promise<void> {
    // Behind input that nobody takes, a Ctrl+C would wait for ever.
    if (this.#io.dropInput() || this.#io.device === null) this.#io.signal('SIGINT');
    else await this.#io.write('\x03').catch(() => undefined);
    await this.#quiet(signal);
  }

  async leave(): Promise<void> {
    this.#io.endInput();
    if (!this.#io.dropInput() && this.#io.device !== null) await this.#io.write('\x04').catch(() => undefined);
  }

  onExit(): void {
    // The exit is the session's to report; what the last line tells comes before it.
    this.#watch.end();
    this.#errorWatch.end();
  }

  #newWatch(): MarkerWatch {
    const io = this.#io;
    return new MarkerWatch({
      marker: this.#marker,
      variable: MARKER_VARIABLE,
      clock: io.clock,
      screen: io.device === null ? null : () => io.screen(),
      onLine: (line) => io.tell({ by: 'program', ...line }),
      onMarker: (offset) => io.report({ kind: 'screen_marker', at: io.clock.now(), offset }),
    });
  }

  async #inputFor(prompt: string): Promise<string> {
    if (this.#io.device === null) return `${prompt}\n`;
    const mode = await readTerminalMode(this.#io.device);
    if (mode === 'raw') return `${prompt}\r`;
    const longest = Math.max(...prompt.split('\n').map((line) => Buffer.byteLength(line)));
    if (longest > MAX_LINE_BYTES) {
      throw new SemoError(
        'prompt_too_long',
        `A line of the prompt has ${longest} bytes; a terminal in line mode takes at most ${MAX_LINE_BYTES}. Break the line, or run the command over pipes.`,
        { details: { bytes: longest, maxBytes: MAX_LINE_BYTES } },
      );
    }
    return `${quoteForLineMode(prompt)}\n`;
  }

  #quiet(signal: AbortSignal): Promise<void> {
    const { clock } = this.#io;
    const since = clock.now();
    return new Promise((resolve) => {
      const look = () => {
        const now = clock.now();
        if (
          signal.aborted ||
          now - Math.max(since, this.#lastOutputAt) >= REST_QUIET_MS ||
          now - since >= REST_LIMIT_MS
        )
          resolve();
        else clock.schedule(REST_QUIET_MS / 4, look);
      };
      look();
    });
  }
}
