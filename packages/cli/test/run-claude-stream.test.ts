import { readdir } from 'node:fs/promises';
import { failWith, hang, promptTexts, say, systemTexts, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { cliStage } from './test-io.ts';

const STREAM = ['--agent', 'claude-stream'];
const BYPASS = [...STREAM, '--permission-mode', 'bypassPermissions'];
const bash = (command: string) => useTool('Bash', { command, description: 'Test' });

describe('semo run --agent claude-stream', () => {
  it('tells every step as a line, the turn once, the result last', async () => {
    await using stage = await cliStage([bash('echo hi > made.txt'), say('Made it.')]);
    const { status, lines, result } = await stage.runJson([...BYPASS, '--workdir', stage.folder, 'Make "it" now.']);
    expect(status).toBe(0);
    const statuses = lines.flatMap((line) => (line.type === 'status' ? [line.status] : []));
    expect(statuses).toEqual(['creating', 'ready', 'executing', 'ready', 'terminated']);
    expect(lines.filter(({ type }) => type === 'turn')).toMatchObject([
      { outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end' },
    ]);
    expect(result).toMatchObject({ outcome: 'completed', text: 'Made it.', error: null });
    expect(promptTexts(stage.model.messages[0]!)).toContain('Make "it" now.');
    expect(await readdir(stage.folder)).toEqual(['made.txt']);
  });

  it('hands on a model and a prompt that looks like a command', async () => {
    await using stage = await cliStage(() => say('ok'));
    const argv = [...BYPASS, '--model', 'claude-sonnet-4-5', '--', '/clear'];
    expect((await stage.runJson(argv)).status).toBe(0);
    const request = stage.model.messages[0]!;
    expect(promptTexts(request)).toContain('/clear');
    expect(JSON.parse(request.rawBody)).toMatchObject({ model: 'claude-sonnet-4-5' });
  });

  it('hands on what the agent is to be', async () => {
    await using stage = await cliStage(() => say('ok'));
    const prompts = ['--system-prompt', 'You paint.', '--append-system-prompt=--Only in blue.'];
    const tools = ['--allowed-tools', 'Read', '--disallowed-tools', 'Edit', '--disallowed-tools', 'Write'];
    expect((await stage.runJson([...STREAM, ...prompts, ...tools, 'Paint.'])).status).toBe(0);
    const request = stage.model.messages[0]!;
    expect(systemTexts(request).join('\n')).toMatch(/You paint\.[^]*--Only in blue\./);
    const { tools: given } = JSON.parse(request.rawBody) as { tools: { name: string }[] };
    expect(given.map(({ name }) => name)).toContain('Read');
    expect(given.map(({ name }) => name)).not.toContain('Edit');
    expect(given.map(({ name }) => name)).not.toContain('Write');
  });

  it('lets the agent call its model so often and no more', async () => {
    await using stage = await cliStage(() => bash('true'));
    expect(await stage.runJson([...BYPASS, '--max-turns', '2', 'Go on.'])).toMatchObject({
      status: 1,
      result: { error: { message: expect.stringContaining('maxTurns') as string } },
    });
    expect(stage.model.messages).toHaveLength(2);
  });

  it('keeps a conversation for a later run', async () => {
    await using stage = await cliStage(() => say('Noted.'));
    const kept = await stage.semo(['run', ...STREAM, '--keep-conversation', 'The word is kumquat.']);
    const id = /--resume (\S+)/.exec(kept.stderr)?.[1] ?? '';
    const { status, result } = await stage.runJson([...STREAM, '--resume', id, 'What was the word?']);
    expect({ status, conversationId: result.conversationId }).toEqual({ status: 0, conversationId: id });
    expect(promptTexts(stage.model.messages[1]!)).toEqual(
      expect.arrayContaining(['The word is kumquat.', 'What was the word?']),
    );
  });

  it('tells output without a gap, in whole characters', async () => {
    await using stage = await cliStage([say('한국어 🙂 '.repeat(50))]);
    const { lines } = await stage.runJson([...BYPASS, 'Speak.']);
    let next = 0;
    for (const line of lines) {
      if (line.type !== 'output') continue;
      expect(line.offset).toBe(next);
      expect(line.text).not.toContain('\ufffd');
      next += Buffer.byteLength(line.text);
    }
    expect(next).toBeGreaterThan(0);
  });

  it('ends with 3 and a request where a person is needed', async () => {
    await using stage = await cliStage([bash('touch x'), say('unreached')]);
    const { status, lines, result } = await stage.runJson([...STREAM, 'Touch it.']);
    expect(status).toBe(3);
    expect(lines.filter(({ type }) => type === 'request')).toMatchObject([
      { kind: 'permission', tool: 'Bash', input: { command: 'touch x' } },
    ]);
    expect(result).toMatchObject({ outcome: 'needs_input', error: { code: 'needs_input', class: 'permission' } });
    expect(await readdir(stage.folder)).toEqual([]);
  });

  it('ends with 124 when time is up, 130 when cancelled, 1 when the model fails', async () => {
    await using stage = await cliStage(() => hang());
    expect(await stage.runJson([...BYPASS, '--timeout', '1s', 'Wait.'])).toMatchObject({
      status: 124,
      result: { outcome: 'timed_out', error: { class: 'timeout' } },
    });
    const controller = new AbortController();
    // On a slow machine the first was over before its prompt had reached the model.
    const asked = stage.model.requests.length;
    const running = stage.runJson([...BYPASS, 'Wait.'], { signal: controller.signal });
    await stage.model.waitForRequest(({ index }) => index >= asked);
    controller.abort();
    expect(await running).toMatchObject({
      status: 130,
      result: { outcome: 'cancelled', error: { class: 'cancelled' } },
    });
    await using failing = await cliStage(() => failWith(401, 'authentication_error'));
    expect(await failing.runJson([...BYPASS, 'Try.'])).toMatchObject({
      status: 1,
      result: { outcome: 'failed', error: { class: 'auth' } },
    });
  });
});
