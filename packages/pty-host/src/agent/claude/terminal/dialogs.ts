import { canonicalJson, type HumanAnswer } from '@semo-office/core';

import type { AgentIo } from '../../agent-driver.ts';
import { answeredInput, requestKindOf } from '../permission.ts';

/** A tool and what it is to be used with, as hooks tell it. */
interface ToolUse {
  readonly tool_name: string;
  readonly tool_input: unknown;
}

/**
 * Hands the dialogs of Claude Code in a terminal to people, through the hook that is called beside each. Somebody at the
 * keyboard may answer first, and the hook is not told: that the tool was used shows it.
 */
export class ClaudeDialogs {
  readonly #io: Pick<AgentIo, 'ask'>;
  readonly #open = new Map<AbortController, string>();

  constructor(io: Pick<AgentIo, 'ask'>) {
    this.#io = io;
  }

  /** Answers the hook; with nothing where nobody did. */
  async onRequest(use: ToolUse, hookClosed: AbortSignal): Promise<object> {
    const { tool_name: tool, tool_input: input } = use;
    const answeredThere = new AbortController();
    this.#open.set(answeredThere, nameOf(use));
    const withdrawn = AbortSignal.any([hookClosed, answeredThere.signal]);
    const answer = await this.#io.ask({ kind: requestKindOf(tool), tool, input }, withdrawn);
    this.#open.delete(answeredThere);
    if (answer === null) return {};
    return { hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: decision(answer, use) } };
  }

  /** A tool was used: whoever was to allow it need not any more. */
  onToolUsed(use: ToolUse): void {
    for (const [answeredThere, name] of this.#open) if (name === nameOf(use)) answeredThere.abort();
  }
}

function nameOf({ tool_name: tool, tool_input: input }: ToolUse): string {
  return `${tool} ${canonicalJson(input)}`;
}

function decision(answer: HumanAnswer, { tool_name: tool, tool_input: input }: ToolUse): object {
  if (answer.behavior === 'deny') return { behavior: 'deny', message: answer.message ?? 'Denied.' };
  const updatedInput = answeredInput(answer, tool, input);
  return { behavior: 'allow', ...(updatedInput === undefined ? {} : { updatedInput }) };
}
