import type { HumanAnswer } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { ClaudeDialogs } from '../../../../src/agent/claude/terminal/dialogs.ts';

/** Dialogs whose questions wait until they are answered or withdrawn. */
function stage() {
  const asked: { kind: string; answer: (answer: HumanAnswer) => void }[] = [];
  const dialogs = new ClaudeDialogs({
    ask: ({ kind }, withdrawn) =>
      new Promise((resolve) => {
        asked.push({ kind, answer: resolve });
        withdrawn.addEventListener('abort', () => resolve(null), { once: true });
      }),
  });
  const open = new AbortController().signal;
  return { asked, dialogs, open };
}

const bash = (command: string) => ({ tool_name: 'Bash', tool_input: { command, timeout: 1 } });

describe('a dialog of Claude Code', () => {
  it('is answered through its hook', async () => {
    const { asked, dialogs, open } = stage();
    const [yes, no] = [dialogs.onRequest(bash('a'), open), dialogs.onRequest(bash('b'), open)];
    asked[0]!.answer({ behavior: 'allow', updatedInput: { command: 'c' } });
    asked[1]!.answer({ behavior: 'deny' });
    const said = { behavior: 'allow', updatedInput: { command: 'c' } };
    expect(await yes).toEqual({ hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: said } });
    expect(await no).toMatchObject({ hookSpecificOutput: { decision: { behavior: 'deny', message: 'Denied.' } } });
  });

  it('is a question that need not be repeated', async () => {
    const { asked, dialogs, open } = stage();
    const use = { tool_name: 'AskUserQuestion', tool_input: { questions: ['Which?'] } };
    const told = dialogs.onRequest(use, open);
    expect(asked[0]!.kind).toBe('question');
    asked[0]!.answer({ behavior: 'allow', updatedInput: { answers: { Which: 'This' } } });
    expect(await told).toMatchObject({
      hookSpecificOutput: { decision: { updatedInput: { questions: ['Which?'], answers: { Which: 'This' } } } },
    });
  });

  it('is over when its hook is, and when its tool was used: somebody at the keyboard allowed it', async () => {
    const { dialogs, open } = stage();
    const closed = new AbortController();
    const [one, two, three] = [
      dialogs.onRequest(bash('a'), closed.signal),
      dialogs.onRequest(bash('b'), open),
      dialogs.onRequest(bash('c'), open),
    ];
    closed.abort();
    expect(await one).toEqual({});
    let isThreeOver = false;
    void three.then(() => (isThreeOver = true));
    dialogs.onToolUsed({ tool_name: 'Bash', tool_input: { timeout: 1, command: 'b' } });
    expect(await two).toEqual({});
    expect(isThreeOver).toBe(false);
  });
});
