import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { SemoError } from '@semo-office/core';

import { findProgram } from '../program-path.ts';
import type { ContainerOptions } from './containment-options.ts';

const STOP_TIMEOUT_MS = 30_000;
/** What these say of the host is wrong in a container, which has its own. */
const NOT_INSIDE = new Set(['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'PWD']);

/** What stands for a placeholder; `null`: nothing does. */
export type ContainerWords = Readonly<Record<string, string | null>>;

/** One run of a host's command for containers. */
export interface ContainerRun {
  readonly options: ContainerOptions;
  readonly agent: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly over: 'terminal' | 'pipe';
  readonly sessionId: string;
  readonly workdir: string;
  /** The repository's common folder where it is outside of `workdir`. */
  readonly git: string | null;
  readonly folders: { readonly config: string; readonly tmp: string };
}

/** The host's command with the agent's after it. @throws SemoError `containment_unavailable`: its program is not there. */
export async function containerCommand(run: ContainerRun): Promise<string[]> {
  const { options, agent, env, over, sessionId, workdir, git, folders } = run;
  const envFile = join(folders.config, 'semo-env-names');
  const words: ContainerWords = {
    workdir,
    git,
    config: folders.config,
    tmp: folders.tmp,
    session: sessionId,
    'env-file': envFile,
    tty: over === 'terminal' ? '-t' : null,
  };
  // Names only: whoever reads this file takes the values from its own environment.
  const names = Object.keys(env).filter((name) => !NOT_INSIDE.has(name));
  await writeFile(envFile, names.map((name) => `${name}\n`).join(''), { mode: 0o600 });
  const [program = '', ...args] = fillIn(options.command, words);
  return [findWrapper(program, env), ...args, ...agent];
}

/** Runs the host's command that ends what a container's has left. Never throws: there is nobody left to tell. */
export function stopContainer({ stop = [] }: ContainerOptions, sessionId: string): Promise<void> {
  const [program, ...args] = fillIn(stop, { session: sessionId });
  if (program === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    execFile(program, args, { timeout: STOP_TIMEOUT_MS }, () => resolve());
  });
}

/** Puts values in the place of `{words}`; an argument with a word that stands for nothing is left out. Others stay as they are. */
export function fillIn(command: readonly string[], words: ContainerWords): string[] {
  return command.flatMap((argument) => {
    const used = [...argument.matchAll(PLACEHOLDER)].map(([, word = '']) => word);
    if (used.some((word) => Object.hasOwn(words, word) && words[word] === null)) return [];
    return [
      argument.replaceAll(
        PLACEHOLDER,
        (whole, word: string) => (Object.hasOwn(words, word) ? words[word] : null) ?? whole,
      ),
    ];
  });
}

const PLACEHOLDER = /\{([a-z-]+)\}/g;

function findWrapper(program: string, env: Readonly<Record<string, string>>): string {
  const folders = (env['PATH'] ?? '').split(delimiter);
  const path = program.includes('/') ? program : findProgram(program, folders);
  if (path !== null) return path;
  throw new SemoError(
    'containment_unavailable',
    `${JSON.stringify(program)}, which runs containers here, was not found. Install it, or give its path.`,
  );
}
