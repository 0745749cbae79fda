import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type TurnInfo, type TurnUsage } from '@semo-office/core';
import { estimateTokens, say, useTool, type ModelStep } from '@semo-office/testbed';
import { expect, it } from 'vitest';

import { UsageTally } from '../../../../src/agent/claude/conversation/usage-tally.ts';
import { claudeStage, type ClaudeStage } from '../claude-stage.ts';

/** A turn with a tool, and one with a subagent, which the agent hears of in the background. */
const tool = () => useTool('Bash', { command: 'true', description: 'Test' });
const subagent = () =>
  useTool('Agent', { description: 'Look', prompt: 'Have a look.', subagent_type: 'general-purpose' });
const script = (): ModelStep[] => [tool(), say('one'), subagent(), ...Array.from({ length: 4 }, () => say('Noted.'))];

/** What the turn used once that is known, and the changes it told. */
async function used(stage: ClaudeStage, sessionId: string, prompt: string) {
  const known = Promise.withResolvers<TurnInfo>();
  const turnId = newId('turn');
  const changes: string[] = [];
  using _ = onTurn(stage, ({ change, turn }) => {
    if (turn.turnId !== turnId) return;
    changes.push(change);
    if (turn.state.kind === 'ended' && turn.usageFollows === undefined) known.resolve(turn);
  });
  await stage.ask(sessionId, prompt, { turnId });
  const { usage, state } = await known.promise;
  expect(state).toMatchObject({ outcome: 'completed', decidedBy: 'agent_end' });
  return { usage: usage!, changes: changes.filter((change) => change === 'ended' || change === 'usage') };
}

function onTurn({ sessions }: ClaudeStage, listener: Parameters<typeof sessions.on<'turn'>>[1]): Disposable {
  const stop = sessions.on('turn', listener);
  return { [Symbol.dispose]: stop };
}

/** What all of the session's transcripts say. */
async function written({ stateDir }: ClaudeStage): Promise<TurnUsage | null> {
  const tally = new UsageTally({ since: 0 });
  for await (const path of glob(join(stateDir, 'sessions/*/config/projects/**/*.jsonl')))
    for (const line of (await readFile(path, 'utf8')).split('\n').filter(Boolean)) tally.add(JSON.parse(line));
  return tally.total();
}

const sum = (one: TurnUsage, other: TurnUsage) => ({
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
});

it('a turn of Claude Code in a terminal tells what it used after its end, each its own, without cost', async () => {
  const answers = script();
  await using stage = await claudeStage(() => answers.shift() ?? say('Noted.'), { kind: 'claude' });
  const id = await stage.open();
  const first = await used(stage, id, 'First.');
  expect(first.changes).toEqual(['ended', 'usage']);
  expect(first.usage.costUsd).toBeUndefined();
  const asked = stage.model.messages.length;
  expect(asked).toBe(2);
  const second = await used(stage, id, 'Second.');
  // The agent's own two to four, by when it hears of the subagent, and the subagent's one.
  const told = stage.model.messages.slice(asked);
  expect(told.length).toBeGreaterThan(2);
  const inputTokens = told.reduce((sum, { rawBody }) => sum + estimateTokens(rawBody), 0);
  expect(second.usage.inputTokens).toBe(inputTokens);
  expect(await written(stage)).toMatchObject(sum(first.usage, second.usage));
});

it('is what the same transcript and the CLI’s own result agree on in stream mode', async () => {
  const answers = script();
  await using stage = await claudeStage(() => answers.shift() ?? say('Noted.'), { kind: 'claude-stream' });
  const id = await stage.open();
  const first = await used(stage, id, 'First.');
  const second = await used(stage, id, 'Second.');
  expect(first.usage.costUsd).toBeGreaterThan(0);
  await expect.poll(() => written(stage)).toMatchObject(sum(first.usage, second.usage));
});
