import { SemoError } from '@semo-office/core';

import { barePrompt } from '../../prompt-text.ts';

/** Claude Code turns a paste of this many line breaks into an attachment, which it never reads as a command. */
const COLLAPSING_LINE_BREAKS = 4;
/** Typed alone, these end the CLI. */
const LEAVING_WORDS = new Set(['exit', 'quit', ':q', ':q!', ':wq', ':wq!']);
const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/**
 * The bytes that paste a prompt into Claude Code's input box so that it is taken as text. What the box would act on is
 * defused: a leading `!` (shell command) gets a space before it; a leading `/` (slash command), a trailing `\` (does not
 * submit) and the words that leave the CLI get empty lines after them, which makes the box treat the whole as pasted text.
 */
export function pasteBytes(prompt: string): string {
  return `${PASTE_START}${defused(prompt)}${PASTE_END}`;
}

function defused(prompt: string): string {
  const guarded = prompt.startsWith('!') ? ` ${prompt}` : prompt;
  const trimmed = guarded.trim();
  const wouldAct = trimmed.startsWith('/') || trimmed.endsWith('\\') || LEAVING_WORDS.has(trimmed);
  if (!wouldAct) return guarded;
  const breaks = guarded.split('\n').length - 1;
  return guarded + '\n'.repeat(Math.max(1, COLLAPSING_LINE_BREAKS - breaks));
}

/**
 * Whether the prompt Claude Code reports is the one we pasted. White space does not count: the box trims the ends and
 * turns tabs into spaces; nor does the `<pasted_content>` tag it wraps long pastes in.
 */
export function isSamePrompt(reported: string, sent: string): boolean {
  return barePrompt(reported) === barePrompt(sent);
}

/**
 * Refuses what the box would act on or leave out.
 *
 * @throws SemoError `invalid_prompt`, naming the character and its line.
 */
export function checkPasteable(prompt: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const found = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(prompt);
  if (found === null) return;
  const name = `U+${found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  const line = prompt.slice(0, found.index).split('\n').length;
  throw new SemoError(
    'invalid_prompt',
    `Line ${line} of the prompt holds the control character ${name}, which Claude Code's input box does not take. Take it out (colours of a log, for example), or use the agent claude-stream.`,
    { details: { character: name, line } },
  );
}

/** Prompts the CLI gives itself, for example when a background task has ended. */
export function isSelfStarted(reported: string): boolean {
  return reported.trimStart().startsWith('<task-notification>');
}

/**
 * What the box changes on the way, told to the model beside the prompt: tabs arrive as four spaces, which matters in a
 * Makefile or a table. `null` when nothing was lost.
 */
export function exactLinesNote(prompt: string): string | null {
  const lines = prompt.split('\n').filter((line) => line.includes('\t'));
  if (lines.length === 0) return null;
  return `The terminal turned tabs in the prompt into spaces. These are its lines that have tabs, exactly as they were written:\n${lines.join('\n')}`;
}
