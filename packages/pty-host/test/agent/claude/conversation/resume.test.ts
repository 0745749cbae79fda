import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promptTexts, say } from '@semo-office/testbed';
import { describe, expect, it, vi } from 'vitest';

import { createPtySessionManager } from '../../../../src/index.ts';
import { claudeStage, type ClaudeStage } from '../claude-stage.ts';

const KINDS = ['claude', 'claude-stream'] as const;
const KEEP = { keepConversation: true } as const;
const BYPASS = { permissionMode: 'bypassPermissions' } as const;
const conversationOf = async ({ sessions }: ClaudeStage, id: string) =>
  (await sessions.get(id))?.agent.conversationId ?? '';

/** Claude Code writes a conversation down a little later than it tells its end, and nothing once it is killed. */
async function written({ stateDir }: ClaudeStage, text: string): Promise<void> {
  const folder = join(stateDir, 'conversations');
  await vi.waitFor(async () => {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.jsonl'));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    expect(texts.join('')).toContain(text);
  }, 10_000);
}

describe.each(KINDS.flatMap((from) => KINDS.map((to) => ({ from, to }))))(
  'a conversation begun with $from',
  ({ from, to }) => {
    it(`goes on with ${to}, also after its agent was killed`, async () => {
      await using stage = await claudeStage(() => say('Noted.'), { kind: from });
      const first = await stage.open({}, KEEP);
      await stage.ask(first, 'The word is kumquat.');
      const resume = await conversationOf(stage, first);
      const again = () => stage.spec({ agent: { kind: to, ...BYPASS, resume } });
      await expect(stage.sessions.create(again())).rejects.toMatchObject({ code: 'session_busy' });
      // Nor may one of another host.
      const others = createPtySessionManager({ stateDir: stage.stateDir, hostEnv: stage.hostEnv });
      await expect(others.create(again())).rejects.toMatchObject({ code: 'session_busy' });
      await others.close();
      await written(stage, 'Noted.');
      const exit = Promise.withResolvers<unknown>();
      stage.sessions.on('exit', exit.resolve);
      process.kill(Number((await stage.sessions.get(first))?.terminalId), 'SIGKILL');
      await exit.promise;
      const { sessionId: second } = await stage.sessions.create(again());
      expect((await stage.ask(second, 'What was the word?')).text).toBe('Noted.');
      const told = promptTexts(stage.model.messages.at(-1)!).map((text) => text.trim());
      expect(told).toEqual(expect.arrayContaining(['The word is kumquat.', 'What was the word?']));
      expect(await conversationOf(stage, second)).toBe(resume);
    });
  },
);

describe.each(KINDS)('a session of %s', (kind) => {
  it('knows its conversation before the first prompt, and another after a reset', async () => {
    await using stage = await claudeStage(() => say('Noted.'), { kind });
    const id = await stage.open({}, KEEP);
    const before = await conversationOf(stage, id);
    expect(before).toMatch(/^[0-9a-f-]{36}$/);
    await stage.ask(id, 'One.');
    expect(await conversationOf(stage, id)).toBe(before);
    await stage.sessions.reset(id);
    expect(await conversationOf(stage, id)).not.toBe(before);
    await stage.ask(id, 'Two.');
    const after = await conversationOf(stage, id);
    expect(after).not.toBe(before);
    await stage.sessions.terminate(id);
    expect(await conversationOf(stage, id)).toBe(after);
    const resumed = await stage.sessions.create(stage.spec({ agent: { kind, ...BYPASS, resume: after } }));
    await stage.ask(resumed.sessionId, 'Three.');
    const told = promptTexts(stage.model.messages.at(-1)!).map((text) => text.trim());
    expect(told).toEqual(expect.arrayContaining(['Two.', 'Three.']));
    expect(told).not.toContain('One.');
  });

  it('refuses a conversation that was not kept', async () => {
    await using stage = await claudeStage(() => say('Noted.'), { kind });
    const first = await stage.open();
    await stage.ask(first, 'Forget this.');
    const resume = await conversationOf(stage, first);
    await stage.sessions.terminate(first);
    await expect(stage.open({}, { resume })).rejects.toMatchObject({ code: 'conversation_unknown' });
  });
});
