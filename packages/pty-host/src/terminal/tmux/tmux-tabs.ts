import { join } from 'node:path';
import {
  SemoError,
  encodeKey,
  keySchema,
  newId,
  parseEdge,
  terminalSizeSchema,
  type Key,
  type OutputRange,
  type OutputSlice,
  type TerminalSize,
} from '@semo-office/core';
import { z } from 'zod';

import { LiveOutput } from '../../live-output.ts';
import { removePrivateFolder } from '../../process/private-folder.ts';
import type { ProcessExit, Terminal } from '../terminal.ts';
import { openTmuxServer, type TmuxServer } from './tmux-server.ts';
import { startTmuxTerminal, type TmuxTerminal } from './tmux-terminal.ts';

/** Options of {@link createTmuxTabs}. */
export interface TmuxTabsOptions {
  /** A folder of its own, for nobody else to read: the tmux server's socket and the tabs' output are in it. */
  readonly stateDir: string;
  /** How much output of each tab is kept, in bytes. Default 1 MiB. */
  readonly maxOutputBytes?: number | undefined;
}

/** What a tab is opened with. */
export interface TabOptions {
  /** The program and its arguments; no shell reads them. Default: `/bin/sh`. */
  readonly command?: readonly string[] | undefined;
  /** Default `/`. */
  readonly cwd?: string | undefined;
  /** The whole environment; nothing else is inherited. Default: `PATH`, `HOME`, `LANG` and `TERM`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What those who watch see as its name. Default: its id. */
  readonly title?: string | undefined;
  /** Default 120 × 40. */
  readonly size?: TerminalSize | undefined;
}

/** Terminal tabs, as iTerm2 has them; `tmux -CC attach` in iTerm2 shows them as its own. */
export interface TmuxTabs {
  /** What to run to see the tabs; in iTerm2 with `-CC` after `tmux`. */
  readonly attachCommand: string;
  /** Opens a tab; gives its id. @throws SemoError `agent_start_failed`. */
  createTab(options?: TabOptions): Promise<string>;
  /** Types text as it is; a line is sent with `\r`. @throws SemoError `session_unknown`, `session_terminated`. */
  sendText(tabId: string, text: string): Promise<void>;
  /** Presses keys by name. @throws SemoError `session_unknown`, `session_terminated`, `invalid_argument`. */
  sendKeystrokes(tabId: string, keys: readonly Key[]): Promise<void>;
  /** What the tab printed, by offset, or its screen; also when its program has ended. @throws SemoError `session_unknown`. */
  getOutput(tabId: string, range?: OutputRange): Promise<OutputSlice>;
  /** Closes a tab; what runs in it is hung up on. Twice is once. Its id means nothing afterwards. */
  closeTab(tabId: string): Promise<void>;
  /** How a tab's program ended, once it has. @throws SemoError `session_unknown`. */
  waitForExit(tabId: string): Promise<ProcessExit>;
  /** Closes all tabs, and the tmux server with the last. */
  close(): Promise<void>;
}

const DEFAULT_OUTPUT_BYTES = 1024 * 1024;
const DEFAULT_SIZE: TerminalSize = { cols: 120, rows: 40 };

interface Tab {
  readonly tmux: TmuxTerminal;
  readonly terminal: Terminal;
  readonly output: LiveOutput;
  readonly exited: PromiseWithResolvers<ProcessExit>;
}

/**
 * Tabs in a private tmux server, in the words of terminal programs. For agents use a session manager: it knows when a
 * turn is over, and ends everything that an agent has started.
 *
 * @throws SemoError `terminal_unavailable`.
 * @example
 * ```ts
 * const tabs = await createTmuxTabs({ stateDir: '/home/me/.local/state/tabs' });
 * const tab = await tabs.createTab({ command: ['/bin/bash'], title: 'build' });
 * await tabs.sendText(tab, 'npm test\r');
 * console.log(tabs.attachCommand);
 * ```
 */
export async function createTmuxTabs(options: TmuxTabsOptions): Promise<TmuxTabs> {
  return new Tabs(await openTmuxServer({ stateDir: options.stateDir }), options);
}

class Tabs implements TmuxTabs {
  readonly #server: TmuxServer;
  readonly #options: TmuxTabsOptions;
  readonly #tabs = new Map<string, Tab>();

  constructor(server: TmuxServer, options: TmuxTabsOptions) {
    this.#server = server;
    this.#options = options;
  }

  get attachCommand(): string {
    return this.#server.attachCommand;
  }

  async createTab({
    command = ['/bin/sh'],
    cwd = '/',
    env = plainEnvironment(),
    title,
    size,
  }: TabOptions = {}): Promise<string> {
    const { maxOutputBytes = DEFAULT_OUTPUT_BYTES } = this.#options;
    const key = newId('ses');
    const shape = parseEdge(terminalSizeSchema, size ?? DEFAULT_SIZE, { what: 'terminal size' });
    const folder = this.#folderOf(key);
    const start = { key, title, folder, command, cwd, env, size: shape };
    const tmux = await startTmuxTerminal(this.#server, { ...start, readAgainBytes: 0 });
    const exited = Promise.withResolvers<ProcessExit>();
    const source = { pause: () => terminal.pause(), resume: () => terminal.resume() };
    const output = new LiveOutput({ maxBytes: maxOutputBytes, size: shape, withScreen: false, source });
    const terminal: Terminal = tmux.open({
      ...start,
      onData: (bytes) => output.append(bytes),
      onExit: exited.resolve,
    });
    this.#tabs.set(key, { tmux, terminal, output, exited });
    return key;
  }

  async sendText(tabId: string, text: string): Promise<void> {
    await this.#tab(tabId).terminal.write(text);
  }

  async sendKeystrokes(tabId: string, keys: readonly Key[]): Promise<void> {
    const parsed = parseEdge(z.array(keySchema).max(1000), keys, { what: 'list of keys' });
    await this.#tab(tabId).terminal.write(parsed.map((key) => encodeKey(key)).join(''));
  }

  async getOutput(tabId: string, range?: OutputRange): Promise<OutputSlice> {
    return this.#tab(tabId).output.read(range);
  }

  async closeTab(tabId: string): Promise<void> {
    const tab = this.#tabs.get(tabId);
    if (tab === undefined) return;
    this.#tabs.delete(tabId);
    tab.terminal.close();
    tab.exited.resolve({ code: null, signal: 'SIGHUP' });
    await tab.tmux.dispose();
    await removePrivateFolder(this.#folderOf(tabId));
  }

  waitForExit(tabId: string): Promise<ProcessExit> {
    return this.#tab(tabId).exited.promise;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tabs.keys()].map((tabId) => this.closeTab(tabId)));
  }

  #folderOf(key: string): string {
    return join(this.#options.stateDir, `tab-${key}`);
  }

  #tab(tabId: string): Tab {
    const tab = this.#tabs.get(tabId);
    if (tab !== undefined) return tab;
    throw new SemoError('session_unknown', `There is no tab ${JSON.stringify(tabId)}. Create it first.`);
  }
}

function plainEnvironment(): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME = '/', LANG = 'C.UTF-8' } = process.env;
  return { PATH, HOME, LANG, TERM: 'xterm-256color' };
}
