import type { TerminalOptions } from '../terminal.ts';
import { withOwnDescriptors } from '../own-descriptors.ts';
import { quoted } from './tmux-server.ts';

/** What a shell sets by itself, and what the pane's process is to have only if we say so. */
const SHELLS_OWN = ['PWD', 'OLDPWD', 'SHLVL', '_'];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * A script for `env -i sh` that becomes the command: with the given environment and no other, in the given folder. It
 * removes itself first. So secrets stand neither on a command line nor in tmux's own environment, and a command may be
 * longer than tmux takes one (16 KiB).
 */
export function startScript({ command, cwd, env }: Pick<TerminalOptions, 'command' | 'cwd' | 'env'>): string {
  const start = withOwnDescriptors({ command, env });
  const lines = Object.entries(start.env)
    // No shell can set another name.
    .filter(([name]) => NAME.test(name))
    // `command` keeps the shell going where a name is its own to set.
    .map(([name, value]) => `command export ${name}=${quoted(value)} 2>/dev/null`);
  return [
    'command -p rm -f -- "$0"',
    `cd ${quoted(cwd)} || exit 127`,
    ...SHELLS_OWN.map((name) => `command unset ${name} 2>/dev/null`),
    ...lines,
    `exec ${start.command.map(quoted).join(' ')}`,
    '',
  ].join('\n');
}
