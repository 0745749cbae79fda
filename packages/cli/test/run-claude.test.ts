import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGitRepository, failWith, hang, promptTexts, say, useTool, userTexts } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { cliStage } from './test-io.ts';

const CLAUDE = ['--agent', 'claude', '--permission-mode', 'bypassPermissions'];
const bash = (command: string) => useTool('Bash', { command, description: 'Test' });

describe('semo run --agent claude', () => {
  it('tells every step as a line, the turn once, the result last', async () => {
    await using stage = await cliStage([bash('echo hi > made.txt'), say('Made it.')]);
    const { status, lines, result } = await stage.runJson([...CLAUDE, '--workdir', stage.folder, 'Make "it" now.']);
    expect(status).toBe(0);
    const statuses = lines.flatMap((line) => (line.type === 'status' ? [line.status] : []));
    expect(statuses).toEqual(['creating', 'ready', 'executing', 'ready', 'terminated']);
    expect(lines.filter(({ type }) => type === 'turn')).toMatchObject([
      { outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end' },
    ]);
    expect(result).toMatchObject({
      outcome: 'completed',
      confidence: 'certain',
      text: 'Made it.',
      error: null,
      workspace: { kind: 'path', path: stage.folder },
    });
    expect(result.attempts).toMatchObject([{ outcome: 'completed', sessionId: result.sessionId }]);
    expect(promptTexts(stage.model.messages[0]!)).toContain('Make "it" now.');
    expect(await readdir(stage.folder)).toEqual(['made.txt']);
  });

  it('keeps a conversation for a later run', async () => {
    await using stage = await cliStage(() => say('Noted.'));
    const kept = await stage.semo(['run', ...CLAUDE, '--keep-conversation', 'The word is kumquat.']);
    const id = /--resume (\S+)/.exec(kept.stderr)?.[1] ?? '';
    const { status, result } = await stage.runJson([...CLAUDE, '--resume', id, 'What was the word?']);
    expect({ status, conversationId: result.conversationId }).toEqual({ status: 0, conversationId: id });
    expect(promptTexts(stage.model.messages[1]!)).toEqual(
      expect.arrayContaining(['The word is kumquat.', 'What was the word?']),
    );
  });

  it('tells output without a gap, each piece at its offset', async () => {
    await using stage = await cliStage([say('한국어 🙂 '.repeat(50))]);
    const { lines } = await stage.runJson([...CLAUDE, 'Speak.']);
    let next = 0;
    for (const line of lines) {
      if (line.type !== 'output') continue;
      expect(line.offset).toBe(next);
      expect(line.text).not.toContain('\ufffd');
      next += Buffer.byteLength(line.text);
    }
    expect(next).toBeGreaterThan(0);
  });

  it('takes prompts of forty lines and of a hundred kilobytes from a file or standard input', async () => {
    await using stage = await cliStage(() => say('ok'));
    const forty = Array.from({ length: 40 }, (_, line) => `line ${line} "q" 'q' \`q\` 한국어 🙂 $x`).join('\n');
    const large = Array.from({ length: 1000 }, (_, line) => `row ${line} ${'abcdefghi '.repeat(9)}end`).join('\n');
    const file = join(stage.home, 'prompt.txt');
    await writeFile(file, forty);
    expect((await stage.runJson([...CLAUDE, '--prompt-file', file])).status).toBe(0);
    expect((await stage.runJson([...CLAUDE, '--prompt-file', '-'], { stdin: large })).status).toBe(0);
    for (const [index, prompt] of [forty, large].entries()) {
      const told = userTexts(stage.model.messages[index]!)
        .join('\n')
        .split('\n')
        .map((line) => line.trimEnd());
      for (const line of prompt.split('\n')) expect(told).toContain(line);
    }
  });

  it('hands the persona to the agent and takes it away again', async () => {
    await using stage = await cliStage([say('I am Mina.')]);
    const file = join(stage.home, 'persona.json');
    await writeFile(
      file,
      JSON.stringify({
        name: 'Mina',
        role: 'FE',
        prompt: 'Small tested steps.',
        scope_patterns: ['src/**'],
        core_skills: ['CSS'],
      }),
    );
    expect((await stage.runJson([...CLAUDE, '--persona', file, 'Who are you?'])).status).toBe(0);
    const told = stage.model.messages[0]!.rawBody;
    for (const words of ['Mina (FE)', 'Small tested steps.', 'src/**', 'CSS']) expect(told).toContain(words);
    expect(await readdir(stage.folder)).toEqual([]);
  });

  it('works in a worktree that is kept for its commits, and takes it up again', async () => {
    await using repository = await createGitRepository();
    let steps = 0;
    const commit = bash('date +%N >> log.txt && git add -A && git commit -qm work');
    await using stage = await cliStage(() => (steps++ % 2 === 0 ? commit : say('Committed.')));
    const argv = [...CLAUDE, '--workdir', repository.path, '--worktree', 'agent/one', '--role', 'BE', 'Commit it.'];
    const root = `${repository.path}.worktrees`;
    try {
      const path = join(root, 'agent', 'BE', 'agent-one');
      const workspace = { kind: 'git', branch: 'agent/one', path };
      expect(await stage.runJson(argv)).toMatchObject({ status: 0, result: { workspace } });
      expect(await stage.runJson(argv)).toMatchObject({ status: 0, result: { workspace } });
      expect(await repository.git(['rev-list', '--count', 'main..agent/one'])).toBe('2');
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it('ends with 3 and a request where a person is needed', async () => {
    await using stage = await cliStage([bash('touch x'), say('unreached')]);
    const { status, lines, result } = await stage.runJson(['--permission-mode', 'default', 'Touch it.']);
    expect(status).toBe(3);
    expect(lines.filter(({ type }) => type === 'request')).toMatchObject([
      { kind: 'permission', tool: 'Bash', input: { command: 'touch x' } },
    ]);
    expect(result).toMatchObject({ outcome: 'needs_input', error: { code: 'needs_input', class: 'permission' } });
  });

  it('ends with 124 when time is up, 130 when cancelled, 1 when the model fails', async () => {
    await using stage = await cliStage(() => hang());
    expect(await stage.runJson([...CLAUDE, '--timeout', '1s', 'Wait.'])).toMatchObject({
      status: 124,
      result: { outcome: 'timed_out', error: { class: 'timeout' } },
    });
    const controller = new AbortController();
    // On a slow machine the first was over before its prompt had reached the model.
    const asked = stage.model.requests.length;
    const running = stage.runJson([...CLAUDE, 'Wait.'], { signal: controller.signal });
    await stage.model.waitForRequest(({ index }) => index >= asked);
    controller.abort();
    expect(await running).toMatchObject({
      status: 130,
      result: { outcome: 'cancelled', error: { class: 'cancelled' } },
    });
    await using failing = await cliStage(() => failWith(401, 'authentication_error'));
    expect(await failing.runJson([...CLAUDE, 'Try.'])).toMatchObject({
      status: 1,
      result: { outcome: 'failed', error: { class: 'auth' } },
    });
  });

  it('speaks to people where no JSON is asked for', async () => {
    await using stage = await cliStage(() => say('The answer.'));
    const plain = await stage.semo(['run', ...CLAUDE, 'Answer.']);
    expect(plain).toMatchObject({ status: 0, stdout: 'The answer.\n' });
    expect(plain.stderr).toContain('turn completed (certain, by agent_end)');
    expect((await stage.semo(['run', ...CLAUDE, 'Answer.'], { isTerminal: true })).stderr).toContain('\r\u001b[K');
  });
});
