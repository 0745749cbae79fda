import type { Words } from '@semo-office/core';

import type { ClaudeMessage, ContentBlock } from './claude-message.ts';

/** The tool whose output is what programs print; what other tools give is files and pages that somebody wrote. */
const SHELL_TOOL = 'Bash';
/** Commands whose results are still to come; a turn has a few at once. */
const REMEMBERED_COMMANDS = 1000;

/** Picks out of Claude Code's messages what the agent says and what its commands print. */
export class ClaudeWords {
  readonly #tell: (words: Words) => void;
  readonly #commands = new Map<string, string>();

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
    const command = input?.['command'];
    if (type !== 'tool_use' || id === undefined || name !== SHELL_TOOL || typeof command !== 'string') return;
    this.#commands.set(id, command);
    const oldest = this.#commands.keys().next().value;
    if (this.#commands.size > REMEMBERED_COMMANDS && oldest !== undefined) this.#commands.delete(oldest);
  }

  #onResult(
    block: ContentBlock,
    result: { stdout?: string | undefined; stderr?: string | undefined } | null | undefined,
  ): void {
    const command = this.#commands.get(block.tool_use_id ?? '');
    if (block.type !== 'tool_result' || command === undefined) return;
    this.#commands.delete(block.tool_use_id ?? '');
    const { stdout = textOf(block.content), stderr = '' } = result ?? {};
    const stream = block.is_error === true ? 'error' : 'output';
    if (stdout !== '') this.#tell({ by: 'tool', text: stdout, command, stream });
    if (stderr !== '') this.#tell({ by: 'tool', text: stderr, command, stream: 'error' });
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (typeof part === 'object' && part !== null && 'text' in part ? String(part.text) : ''))
    .join('\n');
}
