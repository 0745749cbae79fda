import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promptTexts, say, systemTexts, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../../../src/index.ts';
import { claudeStage } from '../claude-stage.ts';

const bash = (command: string) => useTool('Bash', { command, description: 'Test' });
const stageFor = (script: Parameters<typeof claudeStage>[0]) => claudeStage(script, { kind: 'claude-stream' });

describe('the settings of a session in stream mode', () => {
  it('reach the agent', async () => {
    await using stage = await stageFor(() => say('ok'));
    const id = await stage.open(
      {},
      {
        model: 'claude-sonnet-4-5',
        systemPrompt: '--You paint.',
        appendSystemPrompt: 'Only in blue.',
        allowedTools: ['Read', 'Bash(git log:*)'],
        disallowedTools: ['WebFetch', 'Edit'],
      },
    );
    await stage.ask(id, 'Paint.');
    const request = stage.model.messages[0]!;
    expect(systemTexts(request).join('\n')).toMatch(/--You paint\.[^]*Only in blue\./);
    const body = JSON.parse(request.rawBody) as { model: string; tools: { name: string }[] };
    expect(body.model).toBe('claude-sonnet-4-5');
    expect(body.tools.map(({ name }) => name)).toContain('Read');
    expect(body.tools.map(({ name }) => name)).not.toContain('Edit');
  });

  it('let allowed tools run without leave', async () => {
    await using stage = await stageFor([bash('touch allowed'), say('Went on.')]);
    const id = await stage.open({}, { permissionMode: 'default', allowedTools: ['Bash(touch:*)'] });
    expect((await stage.ask(id, 'Touch it.')).text).toBe('Went on.');
  });

  it('limit its turns', async () => {
    await using stage = await stageFor(() => bash('true'));
    const turn = await stage.ask(await stage.open({}, { maxTurns: 2 }), 'Go on and on.');
    expect(turn.state).toMatchObject({
      outcome: 'failed',
      error: { code: 'agent_failed', message: expect.stringContaining('maxTurns') },
    });
  });

  it('carry a kept conversation over the death of its agent', async () => {
    await using stage = await stageFor(() => say('Noted.'));
    const first = await stage.open({}, { keepConversation: true });
    await stage.ask(first, 'The word is kumquat.');
    const info = await stage.sessions.get(first);
    const resume = info?.agent.conversationId ?? '';
    await expect(stage.open({}, { resume })).rejects.toMatchObject({ code: 'session_busy' });
    // Nor may one of another host.
    const others = createPtySessionManager({ stateDir: stage.stateDir, hostEnv: stage.hostEnv });
    const again = stage.spec({}, { resume });
    await expect(others.create(again)).rejects.toMatchObject({ code: 'session_busy' });
    await others.close();
    const exit = Promise.withResolvers<unknown>();
    stage.sessions.on('exit', exit.resolve);
    process.kill(Number(info?.terminalId), 'SIGKILL');
    await exit.promise;
    const second = await stage.open({}, { resume });
    await stage.ask(second, 'What was the word?');
    expect(promptTexts(stage.model.messages[1]!)).toEqual(
      expect.arrayContaining(['The word is kumquat.', 'What was the word?']),
    );
    expect((await stage.sessions.get(second))?.agent.conversationId).toBe(resume);
  });

  it('refuse a conversation that was not kept', async () => {
    await using stage = await stageFor(() => say('unreached'));
    const resume = crypto.randomUUID();
    await expect(stage.open({}, { resume })).rejects.toMatchObject({
      code: 'conversation_unknown',
      message: expect.stringContaining('is kept on this host'),
    });
  });

  it('are not overruled by a repository that turns hooks off', async () => {
    await using stage = await stageFor([say('Heard.')]);
    await mkdir(join(stage.folder, '.claude'));
    await writeFile(join(stage.folder, '.claude', 'settings.json'), JSON.stringify({ disableAllHooks: true }));
    expect((await stage.ask(await stage.open(), 'Speak.')).text).toBe('Heard.');
  });
});

describe('a prompt sent to Claude Code in stream mode', () => {
  it('reaches the model byte for byte', async () => {
    await using stage = await stageFor(() => say('ok'));
    const prompts = [
      'two\nlines',
      'all:\n\tcc main.c\n\tmake\ttest\n',
      '!echo not a command',
      '/clear',
      '/help me out',
      '/no-such-thing',
      '  /clear ',
      'exit',
      '# x',
      '@nobody &co ?',
      'ends with a backslash\\',
      'quotes " and \' and `',
      '한국어 🙂 ¡',
      Array.from({ length: 40 }, (_, line) => `line ${line}: "double" 'single' \`tick\` $HOME 한국어 🙂 \\n <b>`).join(
        '\n',
      ),
      Array.from({ length: 1000 }, (_, line) => `row ${line} ${'abcdefghi '.repeat(9)}end`).join('\n'),
    ];
    const id = await stage.open();
    for (const prompt of prompts) {
      const turn = await stage.ask(id, prompt);
      expect(turn.text).toBe('ok');
      expect(promptTexts(stage.model.messages.at(-1)!).at(-1)).toBe(prompt);
    }
    // Nothing was cleared or run on the way: all of it is one conversation.
    expect(stage.model.messages).toHaveLength(prompts.length);
    expect(stage.model.messages.at(-1)!.rawBody).toContain('!echo not a command');
  });
});
