import { z } from 'zod';

import type { JobEvents } from './job/job-events.ts';
import { parseEdge } from './parse-edge.ts';
import { functionSchema, signalSchema } from './port-schema.ts';

const executeSchema = z.strictObject({ signal: signalSchema.optional(), onLine: functionSchema.optional() }).optional();
const waitSchema = z
  .strictObject({ timeoutMs: z.number().nonnegative().optional(), signal: signalSchema.optional() })
  .optional();
const closeSchema = z.strictObject({ running: z.enum(['cancel', 'leave']).optional() }).optional();

const EVENTS: Readonly<Record<keyof JobEvents, true>> = {
  submitted: true,
  started: true,
  attempt: true,
  waiting: true,
  line: true,
  ended: true,
  kept: true,
  left: true,
  breaker: true,
  pool_fault: true,
  fault: true,
};
const eventSchema = z.enum(Object.keys(EVENTS));

/** What is said beside the jobs in calls of an office. Each hands on what it was given. */
export const officeCalls = {
  /** @throws SemoError `invalid_argument`. */
  execute: checked(executeSchema, 'options of executeJob'),
  /** @throws SemoError `invalid_argument`. */
  wait: checked(waitSchema, 'options of waitForJob'),
  /** @throws SemoError `invalid_argument`. */
  close: checked(closeSchema, 'options of close'),
  /** @throws SemoError `invalid_argument`. */
  event: checked(eventSchema, 'name of an event'),
  /** @throws SemoError `invalid_argument`. */
  listener: checked(functionSchema, 'listener'),
};

function checked(schema: z.ZodType, what: string) {
  return <Given>(given: Given): Given => {
    parseEdge(schema, given, { what });
    return given;
  };
}
