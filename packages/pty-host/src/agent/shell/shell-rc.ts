import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The shells we know how to set up. */
export const SHELL_NAMES = ['bash', 'zsh'] as const;

/** One of {@link SHELL_NAMES}. */
export type ShellName = (typeof SHELL_NAMES)[number];

/** How a shell is started so that it reads our rc file. */
export interface ShellStart {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What {@link writeShellRc} needs. */
export interface ShellRcOptions {
  readonly name: ShellName;
  /** A folder of the session's own. */
  readonly folder: string;
  /** Stands in every mark, so that one that a command prints is known for what it is. */
  readonly nonce: string;
  readonly useUserRc: boolean;
}

/** Writes the rc file of a session's shell into the session's own folder. */
export async function writeShellRc({ name, folder, nonce, useUserRc }: ShellRcOptions): Promise<ShellStart> {
  if (name === 'bash') {
    const file = join(folder, 'semo.bashrc');
    await writeFile(file, bashRc({ nonce, useUserRc }), { mode: 0o600 });
    return { args: ['--noprofile', '--rcfile', file, '-i'], env: {} };
  }
  const home = join(folder, 'zsh');
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(join(home, '.zshrc'), zshRc({ nonce, useUserRc }), { mode: 0o600 });
  return { args: ['-d', '-i'], env: { ZDOTDIR: home } };
}

/** OSC 133 as other terminals know it, with our nonce as the last field. */
const mark = (fields: string, nonce: string) => String.raw`\e]133;${fields};${nonce}\a`;

/**
 * The status goes into the prompt itself and not into a hook before it: a shell works off pasted lines one by one, and
 * shows its prompt only when all are done.
 */
function promptMarks(status: string, nonce: string): string {
  return mark(`D;${status}`, nonce) + mark('A', nonce) + mark('B', nonce);
}

function bashRc({ nonce, useUserRc }: Pick<ShellRcOptions, 'nonce' | 'useUserRc'>): string {
  return `${useUserRc ? '[ -r ~/.bashrc ] && . ~/.bashrc\n' : ''}
# The user's .inputrc could turn off what prompts are sent by.
INPUTRC=/dev/null
bind 'set enable-bracketed-paste on' 2>/dev/null
bind 'set editing-mode emacs' 2>/dev/null
unset INPUTRC HISTFILE
set +o histexpand
shopt -s promptvars
unset PROMPT_COMMAND IGNOREEOF
PROMPT_COMMAND='__semo_status=$?'
PS0='${mark('C', nonce)}'
PS1='\\[${promptMarks('${__semo_status}', nonce)}\\]'
PS2='\\[${mark('P', nonce)}\\]'
`;
}

function zshRc({ nonce, useUserRc }: Pick<ShellRcOptions, 'nonce' | 'useUserRc'>): string {
  return `unset ZDOTDIR
${useUserRc ? '[ -r ~/.zshrc ] && . ~/.zshrc\n' : ''}
unset HISTFILE
SAVEHIST=0
bindkey -e
setopt PROMPT_SUBST INTERACTIVE_COMMENTS
unsetopt PROMPT_SP PROMPT_CR BANG_HIST IGNORE_EOF CORRECT CORRECT_ALL
__semo_precmd() { __semo_status=$?; }
__semo_preexec() { printf '${mark('C', nonce)}'; }
precmd_functions=(__semo_precmd)
preexec_functions=(__semo_preexec)
PS1=$'%{${promptMarks('${__semo_status}', nonce)}%}'
PS2=$'%{${mark('P', nonce)}%}'
RPS1=
`;
}
