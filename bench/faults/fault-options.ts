import { z } from 'zod';

const count = z.number().int().positive();

const faultOptionsSchema = z.object({
  hosts: count.default(16),
  commands: count.default(10_000),
  sessions: count.default(500),
  /** How many sessions are at work at a time. */
  atOnce: count.default(100),
  seed: z.number().int().default(1),
  /** From one fault to the next, in milliseconds. */
  everyMs: count.default(1000),
  /** At most so many faults; 0: for as long as there are commands. */
  faults: z.number().int().nonnegative().default(0),
  /** For how long a host that does not hold on to its place has it. */
  leaseMs: count.default(15_000),
  /** For how long Realtime is down each time. */
  realtimeDownMs: count.default(10_000),
  /** The least time from one step of a session to the next. */
  paceMs: z.number().int().nonnegative().default(0),
});

/** What a run under faults is told. */
export type FaultOptions = z.output<typeof faultOptionsSchema>;

/** Reads options from an argument. @throws Error when they make no sense. */
export function readFaultOptions(argument = '{}'): FaultOptions {
  return faultOptionsSchema.parse(JSON.parse(argument));
}

/** The transport's own times, and with a shorter lease as much shorter. */
export function faultTimes(leaseMs: number) {
  return { leaseMs, livePollMs: leaseMs / 3, slowPollMs: Math.min(2000, leaseMs / 7) };
}
