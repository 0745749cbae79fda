import type { HumanAnswer, HumanRequest } from '@semo-office/core';

import type { AgentIo } from '../agent-driver.ts';
import type { ClaudeControl } from './stream/control.ts';
import type { ClaudeControlRequest } from './stream/message.ts';

const QUESTION_TOOL = 'AskUserQuestion';

/** Hands what Claude Code asks in stream mode to people, and their answers back. */
export class ClaudePermissions {
  readonly #io: Pick<AgentIo, 'ask'>;
  readonly #control: Pick<ClaudeControl, 'answer' | 'refuse'>;
  readonly #open = new Map<string, AbortController>();

  constructor(io: Pick<AgentIo, 'ask'>, control: Pick<ClaudeControl, 'answer' | 'refuse'>) {
    this.#io = io;
    this.#control = control;
  }

  async onRequest({ request_id: id, request }: ClaudeControlRequest): Promise<void> {
    const { subtype, tool_name: tool, input = {} } = request;
    if (subtype !== 'can_use_tool' || tool === undefined) {
      return this.#control.refuse(id, `${subtype} is not supported here.`);
    }
    const withdrawn = new AbortController();
    this.#open.set(id, withdrawn);
    const answer = await this.#io.ask({ kind: requestKindOf(tool), tool, input }, withdrawn.signal);
    // What was withdrawn by the agent wants no answer any more.
    if (this.#open.delete(id)) await this.#control.answer(id, decision(answer, tool, input));
  }

  /** The agent no longer wants to know. */
  withdraw(id: string): void {
    const withdrawn = this.#open.get(id);
    this.#open.delete(id);
    withdrawn?.abort();
  }
}

function decision(answer: HumanAnswer | null, tool: string, input: Readonly<Record<string, unknown>>): object {
  // Without an answer the turn is over, or was none of ours: the agent is not to go on by another way.
  if (answer === null) return { behavior: 'deny', message: 'Nobody is there to answer.', interrupt: true };
  if (answer.behavior === 'deny') return { behavior: 'deny', message: answer.message ?? 'Denied.' };
  return { behavior: 'allow', updatedInput: answeredInput(answer, tool, input) ?? input };
}

/** What a request for a tool is: one tool is there to ask. */
export function requestKindOf(tool: string): HumanRequest['kind'] {
  return tool === QUESTION_TOOL ? 'question' : 'permission';
}

/** The input the tool is to be used with, where the answer says one; whoever answers a question need not repeat it. */
export function answeredInput(
  { updatedInput }: Extract<HumanAnswer, { behavior: 'allow' }>,
  tool: string,
  input: unknown,
): Readonly<Record<string, unknown>> | undefined {
  if (updatedInput === undefined || tool !== QUESTION_TOOL) return updatedInput;
  return { ...(typeof input === 'object' ? input : {}), ...updatedInput };
}
