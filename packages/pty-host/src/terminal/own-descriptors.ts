import { delimiter } from 'node:path';

import { findProgram } from '../program-path.ts';

/**
 * Closes all descriptors but the first three and becomes the command: same process, same id. bash, because a plain `sh`
 * may know no descriptor above 9, and because it is on every machine that has coding agents.
 */
const SCRIPT = [
  // It starts with LC_ALL=C, so that it does not complain into the agent's terminal of a locale the machine lacks.
  '{ if [ -n "$1" ]; then LC_ALL=$1; else unset LC_ALL; fi; } 2>/dev/null',
  'shift',
  'for fd in /dev/fd/*; do fd=${fd##*/}; case $fd in [0-2] | *[!0-9]*) ;; *) eval "exec $fd>&-" ;; esac; done',
  'exec "$@"',
].join('; ');

/** What a process is started with. */
export interface Start {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The start of the same program that has no descriptor of ours but 0, 1 and 2. Terminals' masters are not closed by an
 * `exec`: node-pty 1.2.0-beta.15 opens them so, and closes those that a new child inherits only up to the first unused
 * number; a process on pipes would get them all. Any agent could then read and write another's terminal.
 */
export function withOwnDescriptors({ command, env }: Start): Start {
  shell ??= findShell();
  if (shell === '') return { command, env };
  const { LC_ALL = '' } = env;
  return {
    command: [shell, '--noprofile', '--norc', '-p', '-c', SCRIPT, 'semo', LC_ALL, ...command],
    env: { ...env, LC_ALL: 'C' },
  };
}

/** The path of bash, empty where there is none; looked for once. */
let shell: string | undefined;

function findShell(): string {
  return findProgram('bash', ['/bin', '/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)]) ?? '';
}
