import { z } from 'zod';

const tokens = z.number().int().nonnegative();

/** What an agent says that its model was asked for and answered: tokens, and what that costs where it tells. */
export const turnUsageSchema = z.object({
  /** Tokens read that were in no cache. */
  inputTokens: tokens,
  outputTokens: tokens,
  cacheReadTokens: tokens,
  cacheCreationTokens: tokens,
  /** US dollars at list price, by the agent's own reckoning; absent where it tells none. */
  costUsd: z.number().nonnegative().optional(),
});

/** See {@link turnUsageSchema}. */
export type TurnUsage = z.infer<typeof turnUsageSchema>;

/** Both together; `null` stands for one of which nothing is known, and is the answer if that holds for both. Pure. */
export function addUsage(one: TurnUsage | null, other: TurnUsage | null): TurnUsage | null {
  if (one === null || other === null) return one ?? other;
  const isPriced = one.costUsd !== undefined || other.costUsd !== undefined;
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
    cacheCreationTokens: one.cacheCreationTokens + other.cacheCreationTokens,
    ...(isPriced ? { costUsd: (one.costUsd ?? 0) + (other.costUsd ?? 0) } : {}),
  };
}
