import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { SemoError, terminalSizeSchema, type TerminalSize } from '@semo-office/core';

import { findProgram } from '../../program-path.ts';
import type { ProcessExit, TerminalOptions } from '../terminal.ts';
import { signalName } from '../signal-name.ts';
import { EXIT_FILE, keeperScript } from './output-keeper.ts';
import { startScript } from './start-script.ts';
import { TMUX_SESSION, TmuxRefusal, type TmuxCommand, type TmuxServer } from './tmux-server.ts';

/** How much of a pane's output is kept on disk when nobody reads it. */
const DEFAULT_KEPT_BYTES = 64 * 1024 * 1024;
/** Rows above the screen that somebody who watches can scroll back to. */
const HISTORY_ROWS = 2000;
/** Another host may end the session in which we want a window, or make it, in between. */
const ATTEMPTS = 10;

/** A running pane, with all that is needed to find it again. */
export interface TmuxPlace {
  /** Of its window alone; an id of core's. */
  readonly key: string;
  readonly session: string;
  /** For example `%3`. A later server counts from `%0` again, so it means something only together with the key. */
  readonly pane: string;
  /** Where its output is kept. */
  readonly folder: string;
  readonly pid: number;
  readonly device: string;
}

/** What a pane is started with. */
export interface TmuxPaneOptions extends Pick<TerminalOptions, 'command' | 'cwd' | 'env' | 'size'> {
  readonly key: string;
  /** The name of the window, for those who watch. Default: the key. */
  readonly title?: string | undefined;
  /** A folder for it alone, mode 0700; made if it is missing. */
  readonly folder: string;
  /** Default 64 MiB. */
  readonly maxKeptBytes?: number | undefined;
}

/**
 * Starts a command in a window of its own. From its first byte on, its output is kept in the folder.
 *
 * @throws SemoError `agent_start_failed`.
 */
export async function startTmuxPane(server: TmuxServer, options: TmuxPaneOptions): Promise<TmuxPlace> {
  const { key, folder, maxKeptBytes = DEFAULT_KEPT_BYTES } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const start = join(folder, 'start');
  await writeFile(start, startScript(options), { mode: 0o600 });
  await writeFile(join(folder, 'keep'), keeperScript({ maxBytes: maxKeptBytes }), { mode: 0o600 });
  const printed = await server
    .starting(() => makeWindow(server, { ...options, start }))
    .catch((thrown: unknown) => {
      const { message } = SemoError.from(thrown);
      throw new SemoError('agent_start_failed', `tmux gave no terminal: ${message}`, { cause: thrown });
    });
  const [pane = '', pid = '', device = ''] = printed.trim().split(' ');
  return { key, session: TMUX_SESSION, pane, folder, pid: Number(pid), device };
}

async function makeWindow(server: TmuxServer, options: TmuxPaneOptions & { start: string }): Promise<string> {
  let refusal: unknown = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // Whether there is a session is found out by asking for the likelier.
    const creation = attempt % 2 === 0 ? windowOf(options) : sessionOf(options);
    try {
      return await server.run([['start-server'], ...settings(options), creation, ...dressing(options)]);
    } catch (thrown) {
      const otherWay =
        thrown instanceof TmuxRefusal && (thrown.noServer || /find session|no current|duplicate/.test(thrown.message));
      if (!otherWay) throw thrown;
      refusal = thrown;
    }
  }
  throw refusal;
}

const WHAT_IT_IS = '#{pane_id} #{pane_pid} #{pane_tty}';

function windowOf({ key, start }: TmuxPaneOptions & { start: string }): TmuxCommand {
  const place = ['-t', `=${TMUX_SESSION}:`, '-n', key, '-c', '/'];
  return ['new-window', '-d', ...place, '-P', '-F', WHAT_IT_IS, ...emptyShell(start)];
}

function sessionOf({ key, size, start }: TmuxPaneOptions & { start: string }): TmuxCommand {
  const shape = ['-x', String(size.cols), '-y', String(size.rows), '-c', '/'];
  return ['new-session', '-d', '-s', TMUX_SESSION, '-n', key, ...shape, '-P', '-F', WHAT_IT_IS, ...emptyShell(start)];
}

/** Nothing of the server's environment gets through. */
function emptyShell(script: string): string[] {
  const env = findProgram('env', ['/usr/bin', '/bin', ...(process.env['PATH'] ?? '').split(delimiter)]) ?? 'env';
  return [env, '-i', '/bin/sh', script];
}

/** Settings of the whole server; setting them again changes nothing. */
function settings({ size }: TmuxPaneOptions): TmuxCommand[] {
  // What is left of a pane whose process has ended tells how, and all its output has reached the keeper by then; ending
  // the pane tells the keeper that no more will come.
  const tell = `run-shell "echo '#{pane_dead_status},#{pane_dead_signal}' > #{q:@semo_folder}/${EXIT_FILE}"`;
  const remove = 'run-shell -C "kill-pane -t #{hook_pane}"';
  return [
    ['set-option', '-g', 'update-environment', ''],
    ['set-option', '-s', 'exit-empty', 'on'],
    ['set-option', '-s', 'escape-time', '0'],
    ['set-option', '-g', 'status', 'off'],
    ['set-option', '-g', 'history-limit', String(HISTORY_ROWS)],
    ['set-option', '-g', 'default-size', `${size.cols}x${size.rows}`],
    ['set-option', '-g', 'remain-on-exit', 'on'],
    ['set-option', '-g', 'automatic-rename', 'off'],
    ['set-option', '-g', 'allow-rename', 'off'],
    ['set-hook', '-g', 'pane-died', `${tell} ; ${remove}`],
  ];
}

/** What is said of a window once it is there, before anything of its output is read. */
function dressing({ key, title = key, folder, size }: TmuxPaneOptions): TmuxCommand[] {
  const target = `=${TMUX_SESSION}:=${key}`;
  const keeper = '#{q:@semo_folder}';
  return [
    ['set-option', '-p', '-t', target, '@semo_key', key],
    ['set-option', '-p', '-t', target, '@semo_folder', folder],
    ['pipe-pane', '-o', '-t', target, `exec /bin/sh ${keeper}/keep ${keeper}`],
    // For each window: a server of version 3.3a dies when this is set for all before there is one.
    ['set-option', '-w', '-t', target, 'window-size', 'manual'],
    ['resize-window', '-t', target, '-x', String(size.cols), '-y', String(size.rows)],
    ['rename-window', '-t', target, title.replaceAll(/[^\w -]/g, '_')],
  ];
}

/** Finds a pane that somebody has started and left, by its key; `null` when its process has ended. */
export async function findTmuxPane(server: TmuxServer, key: string): Promise<TmuxPlace | null> {
  const listed = await server
    .run([['list-panes', '-a', '-F', `#{@semo_key} ${WHAT_IT_IS} #{@semo_folder}`]])
    .catch((thrown: unknown) => {
      if (isGone(thrown)) return '';
      throw thrown;
    });
  const line = listed.split('\n').find((each) => each.startsWith(`${key} `));
  if (line === undefined) return null;
  const [, pane = '', pid = '', device = '', ...folder] = line.split(' ');
  return { key, session: TMUX_SESSION, pane, folder: folder.join(' '), pid: Number(pid), device };
}

/** The size of a pane, which a host before may have changed. */
export async function tmuxPaneSize(server: TmuxServer, { pane }: TmuxPlace): Promise<TerminalSize> {
  const told = await server.run([['display-message', '-p', '-t', pane, '#{pane_width} #{pane_height}']]);
  const [cols, rows] = told.trim().split(' ').map(Number);
  return terminalSizeSchema.parse({ cols, rows });
}

/** Removes a pane. Its process, if it lives, is hung up on. */
export async function removeTmuxPane(server: TmuxServer, key: string): Promise<void> {
  const place = await findTmuxPane(server, key);
  if (place === null) return;
  await server.run([['kill-pane', '-t', place.pane]]).catch((thrown: unknown) => {
    if (!isGone(thrown)) throw thrown;
  });
}

/** With its server, or by itself. */
function isGone(thrown: unknown): boolean {
  return thrown instanceof TmuxRefusal && (thrown.noServer || thrown.notFound);
}

/** How a pane's process ended; neither status nor signal when its server went down with it. */
export async function readTmuxExit(folder: string): Promise<ProcessExit> {
  const told = await readFile(join(folder, EXIT_FILE), 'utf8').catch(() => '');
  const [, status, signal] = /^(\d*),(\d*)/.exec(told) ?? [];
  const name = signalName(Number(signal ?? 0));
  return { code: name === null && status ? Number(status) : null, signal: name };
}
