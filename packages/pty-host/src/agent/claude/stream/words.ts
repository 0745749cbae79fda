import type { Words } from '@semo-office/core';

import type { ClaudeMessage, ContentBlock } from './message.ts';
import { failureWords, toolWords } from '../tool-words.ts';

/** Tools whose results are still to come; a turn has a few at once. */
const REMEMBERED_USES = 1000;

interface ToolUse {
  readonly tool: string;
  readonly input: unknown;
}

/** Picks out of Claude Code's messages what the agent says and what its commands print. */
export class ClaudeWords {
  readonly #tell: (words: Words) => void;
  readonly #uses = new Map<string, ToolUse>();

  constructor(tell: (words: Words) => void) {
    this.#tell = tell;
  }

  onMessage(message: ClaudeMessage): void {
    if (message.type === 'assistant') {
      const isSubagent = typeof message.parent_tool_use_id === 'string';
      for (const block of message.message.content) this.#onBlock(block, isSubagent);
    }
    if (message.type !== 'user' || typeof message.message.content === 'string') return;
    for (const block of message.message.content) this.#onResult(block, message.tool_use_result);
  }

  #onBlock({ type, text, id, name, input }: ContentBlock, isSubagent: boolean): void {
    // What a subagent says is said to the agent, which may see it otherwise.
    if (type === 'text' && text !== undefined && !isSubagent) this.#tell({ by: 'agent', text });
    if (type !== 'tool_use' || id === undefined || name === undefined) return;
    this.#uses.set(id, { tool: name, input });
    const oldest = this.#uses.keys().next().value;
    if (this.#uses.size > REMEMBERED_USES && oldest !== undefined) this.#uses.delete(oldest);
  }

  #onResult({ type, tool_use_id: id = '', content, is_error: isError }: ContentBlock, result: unknown): void {
    const use = this.#uses.get(id);
    if (type !== 'tool_result' || use === undefined) return;
    this.#uses.delete(id);
    const words =
      isError === true
        ? failureWords({ ...use, error: textOf(content) })
        : toolWords({ ...use, response: result ?? textOf(content) });
    for (const piece of words) this.#tell(piece);
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : ''))
    .join('\n');
}
