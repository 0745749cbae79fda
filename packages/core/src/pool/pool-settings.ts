import { z } from 'zod';

import { parseEdge } from '../parse-edge.ts';
import type { PoolOptions } from './pool.ts';

const positive = z.number().int().positive();
const milliseconds = z.number().nonnegative();

/** What a pool is told in plain values. */
export const poolSettingsSchema = z.object({
  max: positive.max(10_000).default(6),
  maxOpening: positive.default(8),
  strategy: z.enum(['warm', 'on-demand', 'hybrid']).default('hybrid'),
  reuse: z.enum(['recycle', 'clear']).default('recycle'),
  idleCloseMs: milliseconds.default(600_000),
  acquireTimeoutMs: milliseconds.default(600_000),
  createAttempts: positive.default(3),
  openTimeoutMs: milliseconds.default(120_000),
});

/** The plain ones of {@link PoolOptions}, with defaults filled in. */
export type PoolSettings = z.output<typeof poolSettingsSchema>;

/** @throws SemoError `invalid_argument`. */
export function poolSettings(options: PoolOptions): PoolSettings {
  return parseEdge(poolSettingsSchema, options, { what: 'pool options' });
}
