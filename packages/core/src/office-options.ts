import { z } from 'zod';

import type { OfficeOptions } from './office-port.ts';
import { parseEdge } from './parse-edge.ts';

const whole = z.number().int().positive();
const rule = z.union([
  z.strictObject({ kind: z.enum(['fail', 'person']) }),
  z.strictObject({ kind: z.literal('again'), times: z.number().int().nonnegative(), reason: z.string() }),
  z.strictObject({ kind: z.enum(['backoff', 'wait', 'queue']), times: z.number().int().nonnegative() }),
]);
const breaker = z.object({
  failureThreshold: whole.optional(),
  resetTimeout: whole.optional(),
  halfOpenRequests: whole.optional(),
});

/** The plain ones of {@link OfficeOptions}. What is a number out of place would hold up every job, or let none rest. */
const settingsSchema = z.object({
  warm: z.record(z.string(), z.number().int().nonnegative().max(1000)).optional(),
  concurrency: whole.optional(),
  leaseMs: whole.min(100).optional(),
  pollMs: whole.optional(),
  reportPatienceMs: whole.optional(),
  hostPatienceMs: z.number().int().nonnegative().optional(),
  backoff: z.object({ firstMs: whole.optional(), longestMs: whole.optional() }).optional(),
  policy: z
    .object({
      classes: z.record(z.string(), rule.optional()).optional(),
      codes: z.record(z.string(), rule.optional()).optional(),
    })
    .optional(),
  breakers: z.object({ provider: breaker.optional(), host: breaker.optional() }).optional(),
});

/** @throws SemoError `invalid_argument`. */
export function checkOfficeOptions(options: OfficeOptions): void {
  parseEdge(settingsSchema, options, { what: 'office options' });
}
