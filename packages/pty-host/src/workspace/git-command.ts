import { execFile } from 'node:child_process';

import { SemoError } from '@semo-office/core';

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** One run of git. */
export interface GitCommand {
  readonly cwd: string;
  readonly args: readonly string[];
  /** Default 2 minutes: a checkout of a large repository takes its time. */
  readonly timeoutMs?: number | undefined;
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
export function tryGit({ cwd, args, timeoutMs = DEFAULT_TIMEOUT_MS }: GitCommand): Promise<GitResult> {
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
    execFile('git', [...quiet, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      const slow = error?.killed === true ? `It took longer than ${timeoutMs} ms.` : '';
      resolve({ status, stdout, stderr: status === -1 ? stderr || slow || (error?.message ?? '') : stderr });
    });
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
