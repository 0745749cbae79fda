import { addUsage, type TurnUsage } from '@semo-office/core';

import type { ClaudeResult } from './message.ts';

const NOTHING: TurnUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };

/**
 * How much each turn has used. A result tells it twice: `usage` of the agent's own requests since its prompt, and
 * `modelUsage` of every request of the process, subagents included, since it began or its conversation was cleared. The
 * second is complete, so it is what counts: each time, what has been added. A process that resumes a conversation counts
 * on from where the one before it had stopped, which it does not tell: of its first result the first is taken, without cost.
 */
export class ClaudeUsageMeter {
  /** `null`: what it began with is not known. */
  #counted: TurnUsage | null;
  #untold: TurnUsage | null = null;

  constructor({ resumes = false }: { readonly resumes?: boolean | undefined } = {}) {
    this.#counted = resumes ? null : NOTHING;
  }

  /** Counts what a result tells, whatever it is the answer to. */
  count(result: ClaudeResult): void {
    const total = totalOf(result);
    const before = this.#counted;
    const own = result.usage === undefined ? null : ownUsage(result.usage);
    this.#untold = addUsage(this.#untold, total === null || before === null ? own : added(total, before));
    this.#counted = total ?? before;
  }

  /** What has been used since it was last taken; `null` where the agent tells nothing. */
  take(): TurnUsage | null {
    const usage = this.#untold;
    this.#untold = null;
    return usage;
  }
}

function totalOf({ modelUsage, total_cost_usd: costUsd }: ClaudeResult): TurnUsage | null {
  if (modelUsage === undefined) return null;
  const models = Object.values(modelUsage).map(
    ({ inputTokens, outputTokens, cacheReadInputTokens, cacheCreationInputTokens }): TurnUsage => ({
      inputTokens,
      outputTokens,
      cacheReadTokens: cacheReadInputTokens,
      cacheCreationTokens: cacheCreationInputTokens,
    }),
  );
  const sum = models.reduce((one, other) => addUsage(one, other) ?? one, NOTHING);
  return costUsd === undefined ? sum : { ...sum, costUsd };
}

function ownUsage(usage: NonNullable<ClaudeResult['usage']>): TurnUsage {
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheCreationTokens: usage.cache_creation_input_tokens,
  };
}

/** A cleared conversation counts from nothing again. */
function isLess(now: TurnUsage, before: TurnUsage): boolean {
  return now.inputTokens < before.inputTokens || now.outputTokens < before.outputTokens;
}

function added(now: TurnUsage, before: TurnUsage): TurnUsage {
  if (isLess(now, before)) return now;
  const more = (name: keyof TurnUsage): number => Math.max(0, (now[name] ?? 0) - (before[name] ?? 0));
  return {
    inputTokens: more('inputTokens'),
    outputTokens: more('outputTokens'),
    cacheReadTokens: more('cacheReadTokens'),
    cacheCreationTokens: more('cacheCreationTokens'),
    ...(now.costUsd === undefined ? {} : { costUsd: more('costUsd') }),
  };
}
