import { promptTexts, say, systemTexts, userTexts } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage, type ClaudeStage } from '../claude-stage.ts';

const FORTY_LINES = Array.from(
  { length: 40 },
  (_, line) => `line ${line}: "double" 'single' \`tick\` $HOME 한국어 🙂 \\n <b>`,
).join('\n');
const HUNDRED_KB = Array.from({ length: 1000 }, (_, line) => `row ${line} ${'abcdefghi '.repeat(9)}end`).join('\n');

/** Sends prompts one after the other in one session; gives what the model was told of each. */
async function told(stage: ClaudeStage, prompts: readonly string[]): Promise<string[]> {
  const id = await stage.open();
  const heard: string[] = [];
  for (const prompt of prompts) {
    const turn = await stage.ask(id, prompt);
    expect(turn.state).toMatchObject({ outcome: 'completed' });
    heard.push(promptTexts(stage.model.messages.at(-1)!).at(-1) ?? '');
  }
  return heard;
}

describe('a prompt pasted into Claude Code', () => {
  it('reaches the model byte for byte while it is short', async () => {
    await using stage = await claudeStage(() => say('ok'));
    const prompts = ['hello', 'two\nlines', 'quotes " and \' and `', '한국어 🙂 ¡', '# not a heading', '@nobody &co ?'];
    expect(await told(stage, prompts)).toEqual(prompts);
  });

  it('reaches the model line by line where the CLI wraps it', async () => {
    await using stage = await claudeStage(() => say('ok'));
    const prompts = [FORTY_LINES, HUNDRED_KB];
    const heard = await told(stage, prompts);
    for (const [index, prompt] of prompts.entries()) {
      const lines = heard[index]!.split('\n').map((line) => line.trimEnd());
      for (const line of prompt.split('\n')) expect(lines).toContain(line);
      expect(heard[index]).toMatch(/<pasted_content id="[^"]+">/);
    }
  });

  it('is text, also where the input box would act on it', async () => {
    await using stage = await claudeStage(() => say('ok'));
    const prompts = [
      '!echo not a command',
      '/clear',
      '/help me out',
      '/no-such-thing',
      'exit',
      'ends with a backslash\\',
      'ends with a space \\ ',
    ];
    const heard = await told(stage, prompts);
    for (const [index, prompt] of prompts.entries()) expect(heard[index]).toContain(prompt.trim());
    // Nothing was cleared, left or run on the way: all of it is one conversation.
    expect(stage.model.messages.at(-1)!.rawBody).toContain('!echo not a command');
  });

  it('has its tabs, told beside it since the box turns them into spaces', async () => {
    await using stage = await claudeStage(() => say('ok'));
    const id = await stage.open();
    await stage.ask(id, 'all:\n\tcc main.c\n\tmake\ttest');
    const request = stage.model.messages.at(-1)!;
    const all = [...userTexts(request), ...systemTexts(request)].join('\n').split('\n');
    for (const line of ['\tcc main.c', '\tmake\ttest']) expect(all).toContain(line);
  });

  it('is accepted once, however often it is sent', async () => {
    await using stage = await claudeStage(() => say('ok'));
    const id = await stage.open();
    const turnId = 'turn_once';
    const [first, second] = await Promise.all([
      stage.sessions.sendPrompt(id, 'Once.', { turnId }),
      stage.sessions.sendPrompt(id, 'Once.', { turnId }),
    ]);
    expect(second.turnId).toBe(first.turnId);
    await stage.sessions.waitForTurn(id, turnId);
    await stage.ask(id, 'Twice.');
    expect(stage.model.messages).toHaveLength(2);
  });

  it('replaces what a person has left in the box', async () => {
    await using stage = await claudeStage(() => say('ok'));
    const id = await stage.open();
    await stage.sessions.sendText(id, 'half a thought');
    await stage.ask(id, 'A whole one.');
    expect(stage.model.messages).toHaveLength(1);
    expect(promptTexts(stage.model.messages[0]!)).toContain('A whole one.');
  });
});
