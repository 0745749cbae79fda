import { execFile } from 'node:child_process';

import { SemoError, systemClock } from '@semo-office/core';

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** One run of git. */
export interface GitCommand {
  readonly cwd: string;
  readonly args: readonly string[];
  /** Default 2 minutes: a checkout of a large repository takes its time. */
  readonly timeoutMs?: number | undefined;
  /** What it reads. Default nothing. */
  readonly input?: string | undefined;
}

/** How a run of git ended. */
export interface GitResult {
  /** Exit status; -1 when git could not run at all or was ended for taking too long. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs git and gives its output, without the line end.
 *
 * @throws SemoError `git_failed` with git's own words.
 * @example
 * ```ts
 * const commit = await git({ cwd: repository, args: ['rev-parse', 'HEAD'] });
 * ```
 */
export async function git(command: GitCommand): Promise<string> {
  const { status, stdout, stderr } = await tryGit(command);
  if (status === 0) return stdout.replace(/\r?\n$/, '');
  const subcommand = command.args.find((arg) => !arg.startsWith('-') && !arg.includes('=')) ?? '';
  const words = (stderr || stdout).trim();
  throw new SemoError('git_failed', `git ${subcommand} failed in ${command.cwd}: ${words}`, {
    details: { args: command.args, cwd: command.cwd, status, stderr: words },
  });
}

/** Runs git and gives whatever came of it; for commands whose exit status is an answer. */
export async function tryGit(command: GitCommand): Promise<GitResult> {
  for (let attempt = 0; ; attempt += 1) {
    const result = await runGit(command);
    const delayMs = LOCKED_DELAYS_MS[attempt];
    if (result.status === 0 || delayMs === undefined || !LOCKED.test(result.stderr)) return result;
    await new Promise<void>((resolve) => void systemClock.schedule(delayMs, resolve));
  }
}

/** What git says when somebody else, an agent for one, changes the same repository at this very moment. */
const LOCKED = /could not lock config file|Unable to create '[^']*\.lock': File exists/;
/** Git holds its locks for moments. One that stays, as of a git that was killed, is the caller's to hear of. */
const LOCKED_DELAYS_MS = [20, 40, 80, 160, 320, 640, 1280];

function runGit({ cwd, args, timeoutMs = DEFAULT_TIMEOUT_MS, input }: GitCommand): Promise<GitResult> {
  return new Promise((resolve) => {
    // No program of the repository's own: a hook or a file system monitor would run as us, before the agent does.
    const quiet = [
      '-c',
      'core.hooksPath=/dev/null',
      '-c',
      'core.fsmonitor=false',
      '-c',
      'gc.auto=0',
      '-c',
      'maintenance.auto=false',
    ];
    const options = { cwd, env: gitEnvironment(process.env), timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES };
    const child = execFile('git', [...quiet, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      const slow = error?.killed === true ? `It took longer than ${timeoutMs} ms.` : '';
      resolve({ status, stdout, stderr: status === -1 ? stderr || slow || (error?.message ?? '') : stderr });
    });
    // It may leave without having read all.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Where settings of the person are kept: these may stay. Everything else would point at another repository. */
const KEPT = new Set([
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
  'GIT_SSH_COMMAND',
  'GIT_EXEC_PATH',
]);

function gitEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('GIT_') || KEPT.has(name));
  return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
}
