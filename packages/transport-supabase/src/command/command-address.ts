import { createHash } from 'node:crypto';

import { isSemoError, type Command, type CommandBody, type CommandResult } from '@semo-office/core';

/** Whom a command is for. */
export type CommandAddress =
  | { readonly to: 'session'; readonly sessionId: string }
  /** The host of the session whose agent asked. */
  | { readonly to: 'request' }
  | { readonly to: 'every_host' };

/** Whom a command is for. Pure. */
export function addressOf(body: CommandBody): CommandAddress {
  if (body.kind === 'answer_request') return { to: 'request' };
  if ('sessionId' in body && body.sessionId !== undefined) return { to: 'session', sessionId: body.sessionId };
  return { to: 'every_host' };
}

/** The command for one of several hosts. Its id follows from theirs, so that asking again is asking once. Pure. */
export function commandForHost(command: Command, hostId: string): Command {
  const digest = createHash('sha256').update(`${command.commandId}\n${hostId}`).digest('hex');
  return { ...command, commandId: `cmd_${digest.slice(0, 24)}` };
}

/** One list of the lists of all hosts. One that is missing makes the whole fail: a list with a hole would be believed. Pure. */
export function joinedAnswers(answers: readonly CommandResult[]): CommandResult {
  const failed = answers.find(({ success }) => !success);
  if (failed !== undefined) return failed;
  return { success: true, result: answers.flatMap((answer) => (answer.success ? (answer.result as unknown[]) : [])) };
}

/** What to answer where the database refused to ask a host; `null`: that it did. Pure. */
export function answerInstead(body: CommandBody, thrown: unknown): CommandResult | null {
  if (isSemoError(thrown, 'session_unknown')) return answerWithoutSession(body);
  if (isSemoError(thrown, 'session_terminated') && 'info' in thrown.details)
    return answerOfEnded(body, thrown.details['info']);
  return null;
}

/** What to answer where there is no such session at all; `null`: that it is unknown. */
function answerWithoutSession({ kind }: CommandBody): CommandResult | null {
  if (kind === 'get_session') return { success: true, result: null };
  if (kind === 'list_requests') return { success: true, result: [] };
  return null;
}

/** What to answer of a session that has ended and whose host is not there, or is given up: what is known of it, and that it is over. */
function answerOfEnded({ kind }: CommandBody, info: unknown): CommandResult | null {
  switch (kind) {
    case 'get_session':
      return { success: true, result: info };
    case 'list_requests':
      return { success: true, result: [] };
    // Every turn that there was has ended, and its end is known without asking.
    case 'get_turn':
    case 'terminate':
    case 'cancel':
      return { success: true, result: null };
    default:
      return null;
  }
}
