import {
  clockSchema,
  containmentLevelSchema,
  functionSchema,
  officeOptionsSchema,
  portSchema,
  signalSchema,
  type RequestStore,
  type SessionStore,
} from '@semo-office/core';
import type { AgentDriver } from '@semo-office/pty-host';
import { z } from 'zod';

const path = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), 'A path has no NUL.');
const words = z.array(z.string());
const wholeOrNone = z.number().int().nonnegative();
const bytes = z.number().nonnegative();
const milliseconds = z.number().nonnegative();

const logs = z.strictObject({
  dir: path.optional(),
  level: z.enum(['info', 'debug']).optional(),
  maxBytes: bytes.optional(),
  maxAgeMs: milliseconds.optional(),
  maxTotalBytes: bytes.optional(),
  onFault: functionSchema.optional(),
});

const containment = z.strictObject({
  default: z.union([z.literal('best'), containmentLevelSchema]).optional(),
  allowed: z.array(containmentLevelSchema).optional(),
  readable: words.optional(),
  hidden: words.optional(),
  container: z.strictObject({ command: words, stop: words.optional() }).optional(),
});

/** What the sessions of this machine are told. */
const hostShape = {
  allowedRoots: z.array(path).optional(),
  repositories: z.record(z.string(), path).optional(),
  worktreeRoot: path.optional(),
  stateDir: path.optional(),
  // No record: that of this process is no plain object.
  hostEnv: z.object({}).catchall(z.string().optional()).optional(),
  containment: containment.optional(),
  claude: z.strictObject({ binary: path.optional(), tokenProvider: functionSchema.optional() }).optional(),
  terminal: z.enum(['pty', 'tmux']).optional(),
  drivers: z.array(portSchema<AgentDriver>('prepare')).optional(),
  rememberTerminated: wholeOrNone.optional(),
  onSweep: functionSchema.optional(),
  requestStore: portSchema<RequestStore>('put', 'get', 'list', 'settle', 'give', 'prune').optional(),
  requestRetentionMs: milliseconds.optional(),
  onRequestFault: functionSchema.optional(),
  sessionStore: portSchema<SessionStore>(
    ...([
      'putSession',
      'getSession',
      'listSessions',
      'putTurn',
      'advanceTurn',
      'getTurn',
      'listTurns',
      'prune',
    ] as const),
  ).optional(),
  hostId: z.string().min(1).max(4096).optional(),
  sessionRetentionMs: milliseconds.optional(),
  onSessionFault: functionSchema.optional(),
  logs: logs.optional(),
  resourceSampleMs: milliseconds.optional(),
  clock: clockSchema.optional(),
};

const memory = z.union([
  z.literal(false),
  z.strictObject({ floorBytes: bytes.optional(), sessionBytes: bytes.optional() }),
]);

const officeShape = officeOptionsSchema.omit({ sessions: true });

/** All that `createLocalOffice` may be told. */
export const localOfficeSchema = officeShape.extend({
  ...hostShape,
  memory: memory.optional(),
  store: z
    .undefined('An office of createLocalOffice keeps its jobs in memory. Use openLocalOffice to keep them in a file.')
    .optional(),
});

/** All that `openLocalOffice` may be told. */
export const openLocalOfficeSchema = localOfficeSchema.extend({ store: path });

/** All that `joinOffice` may be told. */
export const joinOfficeSchema = officeShape.extend({
  socketPath: path,
  waitForHostMs: wholeOrNone.optional(),
  signal: signalSchema.optional(),
});
