import { z } from 'zod';

import { numbersFrom } from '../seeded-numbers.ts';

/** Who is killed: the office process, the host process, both in turn, or one process that is both. */
export const TARGETS = ['office', 'host', 'both', 'local'] as const;

const killOptionsSchema = z.object({
  target: z.enum(TARGETS),
  /** How often something is killed. */
  moments: z.number().int().positive(),
  jobs: z.number().int().positive(),
  seed: z.number().int(),
  /** How long the tools of one job take, in milliseconds. Default 9 000. */
  workMs: z.number().int().nonnegative().default(9000),
});

/** What {@link killPlan} and the run that follows it are told. */
export type KillOptions = z.infer<typeof killOptionsSchema>;

/** Reads options from an argument. @throws Error when they make no sense. */
export function readKillOptions(argument = '{}'): KillOptions {
  return killOptionsSchema.parse(JSON.parse(argument));
}

/** One kill: who, how long after it was up, and how long it stays away. */
export interface Kill {
  readonly victim: 'office' | 'host';
  readonly afterMs: number;
  readonly awayMs: number;
}

const EARLIEST_MS = 150;
/** What a job takes beside its tools. */
const START_MS = 1000;
const LONGEST_AWAY_MS = 400;

/** The kills of a run; the same seed gives the same ones. Pure. */
export function killPlan({ target, moments, seed, workMs }: KillOptions): Kill[] {
  const latestMs = START_MS + (2 * workMs) / 3;
  const random = numbersFrom(seed);
  return Array.from({ length: moments }, () => {
    const victim = target === 'both' ? (random() < 0.5 ? 'office' : 'host') : target === 'host' ? 'host' : 'office';
    const afterMs = Math.round(EARLIEST_MS + random() * (latestMs - EARLIEST_MS));
    return { victim, afterMs, awayMs: Math.round(random() * LONGEST_AWAY_MS) };
  });
}
