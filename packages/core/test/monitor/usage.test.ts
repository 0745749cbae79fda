import { describe, expect, it } from 'vitest';

import { addUsage, beginTurn, observe, turnInfoSchema, type TurnUsage } from '../../src/index.ts';

const usage = (inputTokens: number, costUsd?: number): TurnUsage => ({
  inputTokens,
  outputTokens: 1,
  cacheReadTokens: 2,
  cacheCreationTokens: 3,
  ...(costUsd === undefined ? {} : { costUsd }),
});

describe('usage', () => {
  it('adds up, with the cost as far as it is known', () => {
    expect(addUsage(usage(1), usage(2))).toEqual({
      inputTokens: 3,
      outputTokens: 2,
      cacheReadTokens: 4,
      cacheCreationTokens: 6,
    });
    expect(addUsage(usage(1, 0.25), usage(2))?.costUsd).toBe(0.25);
    expect(addUsage(null, usage(2))).toEqual(usage(2));
    expect(addUsage(null, null)).toBeNull();
  });

  it('of a turn is that of all the ends its agent has told, pauses included', () => {
    const config = { sources: ['agent_end'], exitMeans: 'crash', timeoutMs: 1000, silenceMs: 1000 } as const;
    const end = { kind: 'agent_end', text: 'x' } as const;
    const begun = beginTurn(config, 0);
    expect(begun.usage).toBeNull();
    const paused = observe(begun, { ...end, at: 1, backgroundTasks: 1, usage: usage(10, 0.5) });
    expect(paused).toMatchObject({ turn: { kind: 'running' }, usage: usage(10, 0.5) });
    const ended = observe(paused, { ...end, at: 2, backgroundTasks: 0, usage: usage(5, 0.25) });
    expect(ended.usage).toMatchObject({ inputTokens: 15, costUsd: 0.75 });
    expect(observe(ended, { ...end, at: 3, backgroundTasks: 0, usage: usage(5) }).usage).toEqual(ended.usage);
  });

  it('of a turn that tells none is absent, and no figure below nothing is let in', () => {
    expect(turnInfoSchema.shape.usage.safeParse(undefined).success).toBe(true);
    expect(turnInfoSchema.shape.usage.safeParse(usage(-1)).success).toBe(false);
  });
});
