import {
  fromSubagent,
  playScript,
  routeScripts,
  say,
  useTool,
  type AnswerRequest,
  type ContentBlock,
  type ModelRequest,
  type ModelScript,
  type ModelStep,
} from '@semo-office/testbed';

import { lastWords } from './kind.ts';
import { completes, type Truth } from './truth.ts';

/** What an agent does that hands tasks on. */
interface Delegation {
  /** What the subagents are asked for, one after the other. */
  readonly tasks: readonly string[];
  readonly subagent: ModelScript;
  /** What it does when all have reported; the last step are its last words. */
  readonly afterwards: readonly ModelStep[];
  readonly milestones?: Truth['milestones'];
}

/** What the agent says while a helper of its works on. */
const WAITING = 'The helper works on it.';
/** What the tool says of a subagent that works in the background: its report comes later, as a prompt of the CLI's own. */
const LAUNCHED = 'Async agent launched';

/**
 * An agent that hands on its tasks and works on when they are reported. Whether a subagent holds it up or works beside it
 * is the CLI's affair (in a terminal 2.1.329 always starts it in the background), so the model goes by what it is told.
 */
export function delegating({ tasks, subagent, afterwards, milestones = [] }: Delegation): {
  readonly script: () => ModelScript;
  readonly truth: Truth;
} {
  const agent = (): AnswerRequest => {
    const rest = playScript(afterwards);
    return (request) => {
      const { begun, reported } = progressOf(request);
      const task = tasks[begun];
      if (reported < begun) return say(WAITING);
      return task === undefined ? rest(request) : delegate(task);
    };
  };
  return {
    script: () => routeScripts([{ when: fromSubagent, script: subagent }], { otherwise: agent() }),
    truth: completes(lastWords(afterwards), tasks.length + afterwards.length, { milestones }),
  };
}

function delegate(prompt: string): ModelStep {
  return useTool('Agent', { description: 'Help', prompt, subagent_type: 'general-purpose', run_in_background: false });
}

function progressOf({ body }: ModelRequest): { begun: number; reported: number } {
  const blocks = body.messages.flatMap(({ content }) => (typeof content === 'string' ? [text(content)] : content));
  const calls = blocks.filter(({ type, name }) => type === 'tool_use' && name === 'Agent').map(({ id }) => id);
  const answered = blocks.filter(
    (block) => calls.includes(block.tool_use_id) && !JSON.stringify(block).includes(LAUNCHED),
  );
  const notified = calls.filter((id) => blocks.some((block) => isNotification(block, String(id))));
  return { begun: calls.length, reported: answered.length + notified.length };
}

function isNotification(block: ContentBlock, callId: string): boolean {
  const said = JSON.stringify(block);
  return block.type === 'text' && said.includes('<task-notification>') && said.includes(callId);
}

function text(content: string): ContentBlock {
  return { type: 'text', text: content };
}
