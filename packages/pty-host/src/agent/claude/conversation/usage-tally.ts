import { addUsage, type TurnUsage } from '@semo-office/core';
import { z } from 'zod';

const NOTHING: TurnUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 };

const tokens = z.number().int().nonnegative();
const timestamp = z.iso.datetime().optional().catch(undefined);

/** An answer of a model. It is written down once for each of its blocks, and complete with the last. */
const answerSchema = z.looseObject({
  type: z.literal('assistant'),
  timestamp,
  isApiErrorMessage: z.boolean().optional(),
  message: z.looseObject({
    id: z.string(),
    /** `null` until the model has stopped: what it used is not known before. */
    stop_reason: z.string().nullish(),
    usage: z
      .looseObject({
        input_tokens: tokens,
        output_tokens: tokens,
        cache_read_input_tokens: tokens.nullish(),
        cache_creation_input_tokens: tokens.nullish(),
      })
      .optional()
      .catch(undefined),
  }),
});

/** What Claude Code writes down after it has told its Stop hooks. */
const stopSchema = z.looseObject({ type: z.literal('system'), subtype: z.literal('stop_hook_summary'), timestamp });

/** How often an agent has stopped: at a Stop hook, and at an error of its model. */
export interface AgentStops {
  readonly stops: number;
  readonly failures: number;
}

/** Adds up what the lines of a turn's transcripts say it used: its agent's own and its subagents'. */
export class UsageTally {
  /** From when to when the turn lasts, epoch milliseconds: what was written late of another one is not its. */
  readonly #since: number;
  #until = Number.POSITIVE_INFINITY;
  /** By message; `null`: not known. */
  readonly #answers = new Map<string, TurnUsage | null>();
  #stops = 0;
  #failures = 0;

  constructor({ since }: { readonly since: number }) {
    this.#since = since;
  }

  /** Whether the agent has written down that it stopped as often as that. */
  tells({ stops, failures }: AgentStops): boolean {
    return this.#stops >= stops && this.#failures >= failures;
  }

  /** Another turn begins. */
  close(until: number): void {
    this.#until = until;
  }

  /** Takes a line, as the object it holds; what tells nothing of use is left out. */
  add(line: unknown): void {
    const stop = stopSchema.safeParse(line);
    if (stop.success && this.#isWithin(stop.data.timestamp)) this.#stops += 1;
    const answer = answerSchema.safeParse(line);
    if (!answer.success || !this.#isWithin(answer.data.timestamp)) return;
    const { message, isApiErrorMessage } = answer.data;
    // No model has said this.
    if (isApiErrorMessage === true) this.#failures += 1;
    else this.#answers.set(message.id, usageOf(message));
  }

  /** All of it; `null` where that of an answer is not known. */
  total(): TurnUsage | null {
    const all = [...this.#answers.values()];
    if (all.includes(null)) return null;
    return all.reduce<TurnUsage>((sum, usage) => addUsage(sum, usage) ?? sum, NOTHING);
  }

  #isWithin(written: string | undefined): boolean {
    const at = Date.parse(written ?? '');
    return Number.isNaN(at) || (at >= this.#since && at < this.#until);
  }
}

function usageOf({ stop_reason: stopped, usage }: z.output<typeof answerSchema>['message']): TurnUsage | null {
  if (typeof stopped !== 'string' || usage === undefined) return null;
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheCreationTokens: usage.cache_creation_input_tokens ?? 0,
  };
}
