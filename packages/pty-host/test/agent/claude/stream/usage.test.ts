import { say, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { ClaudeUsageMeter } from '../../../../src/agent/claude/stream/usage-meter.ts';
import { claudeStage } from '../claude-stage.ts';

const result = (more: object) => ({ type: 'result' as const, subtype: 'success', is_error: false, ...more });
const model = (inputTokens: number, outputTokens: number) => ({
  inputTokens,
  outputTokens,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
});

describe('what a turn of Claude Code in stream mode used', () => {
  it('is told per turn by the real CLI, although the CLI adds up, and begins anew after a reset', async () => {
    const tool = useTool('Bash', { command: 'true', description: 'Test' });
    const answers = [tool, say('one'), say('two, and a little more'), say('three')];
    await using stage = await claudeStage(() => answers.shift() ?? say('none left'), { kind: 'claude-stream' });
    const id = await stage.open();
    const turns = [await stage.ask(id, 'First.'), await stage.ask(id, 'Second.')];
    await stage.sessions.reset(id);
    turns.push(await stage.ask(id, 'Third.'));
    const [first, second, third] = turns.map(({ usage }) => usage!);
    // The first asks its model twice, each time with the whole conversation.
    expect(first!.inputTokens).toBeGreaterThan(1.5 * second!.inputTokens);
    expect(second!.outputTokens).toBeGreaterThan(0);
    expect(third!.inputTokens).toBeLessThan(1.2 * second!.inputTokens);
    expect(third!.outputTokens).toBeLessThan(second!.outputTokens);
    for (const usage of [first!, second!, third!]) expect(usage.costUsd).toBeGreaterThan(0);
    expect(turns[1]!.evidence.at(-1)).toMatchObject({ kind: 'agent_end', usage: second });
  });

  it('is a turn’s own in a process that resumes a conversation, from the second turn on with its cost', async () => {
    await using stage = await claudeStage(() => say('Noted.'), { kind: 'claude-stream' });
    const id = await stage.open({}, { keepConversation: true });
    const before = await stage.ask(id, 'First.');
    const { agent } = (await stage.sessions.get(id))!;
    await stage.sessions.terminate(id);
    const next = await stage.open({}, { keepConversation: true, resume: agent.conversationId! });
    const after = await stage.ask(next, 'Second.');
    expect(after.usage!.inputTokens).toBeLessThan(1.5 * before.usage!.inputTokens);
    expect(after.usage!.inputTokens).toBeGreaterThan(0);
    expect(after.usage!.costUsd).toBeUndefined();
    const last = await stage.ask(next, 'Third.');
    expect(last.usage!.inputTokens).toBeLessThan(1.5 * before.usage!.inputTokens);
    expect(last.usage!.costUsd).toBeLessThan(1.5 * before.usage!.costUsd!);
  });
});

describe('the usage meter', () => {
  it('tells what each result adds over all models, and nothing twice', () => {
    const meter = new ClaudeUsageMeter();
    meter.count(result({ modelUsage: { a: model(10, 1) }, total_cost_usd: 0.1 }));
    meter.count(result({ modelUsage: { a: model(15, 2), b: model(100, 5) }, total_cost_usd: 0.5 }));
    expect(meter.take()).toMatchObject({ inputTokens: 115, outputTokens: 7, costUsd: 0.5 });
    expect(meter.take()).toBeNull();
    meter.count(result({ modelUsage: {}, total_cost_usd: 0 }));
    meter.count(result({ modelUsage: { a: model(3, 1) }, total_cost_usd: 0.25 }));
    expect(meter.take()).toMatchObject({ inputTokens: 3, outputTokens: 1, costUsd: 0.25 });
  });

  it('takes the agent’s own requests where a version does not list models', () => {
    const meter = new ClaudeUsageMeter();
    const usage = { input_tokens: 7, output_tokens: 2, cache_read_input_tokens: 5, cache_creation_input_tokens: 1 };
    meter.count(result({ usage }));
    expect(meter.take()).toEqual({ inputTokens: 7, outputTokens: 2, cacheReadTokens: 5, cacheCreationTokens: 1 });
    meter.count(result({}));
    expect(meter.take()).toBeNull();
  });
});
