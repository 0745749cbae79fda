import { clockSchema, functionSchema, idSchema, portSchema, systemClock } from '@semo-office/core';
import type { Clock, SemoError } from '@semo-office/core';
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';

/** Who we are to the project: either a client, or what one is made from. */
export type SupabaseAccess =
  /** A client that is signed in already. Its tokens are its own affair, and so is closing it. */
  | { readonly client: Pick<SupabaseClient, 'rpc' | 'from' | 'realtime'> }
  | {
      readonly url: string;
      /** The secret key for an office's server; the publishable one together with `accessToken`. */
      readonly key: string;
      /**
       * Gives a JWT whose `app_metadata.semo` says who we are, within ten seconds. Asked again before that is over, and never more
       * than once a second. Default: the key alone.
       */
      readonly accessToken?: (() => Promise<string>) | undefined;
    };

/** How often things are looked at, and for how long they are waited for; all in milliseconds. */
export interface OfficeTimes {
  /** For how long an answer to a command is waited for: a whole number. Default 30 000. */
  readonly answerTimeoutMs?: number | undefined;
  /** The shortest wait between looks while Realtime is away. Default 100. */
  readonly fastPollMs?: number | undefined;
  /** The longest one, when nothing happens. Default 2 000. */
  readonly slowPollMs?: number | undefined;
  /** The wait between looks while Realtime is there. Default 5 000. */
  readonly livePollMs?: number | undefined;
  /** For how long a host has its place, and its commands, without holding on to them: a whole number. Default 15 000. */
  readonly leaseMs?: number | undefined;
  /** For how long a host that was lost may come back to its sessions: then these are given up. 0: at once. Default 120 000. */
  readonly hostGraceMs?: number | undefined;
  /** How long events wait for company before they are sent. Default 20. */
  readonly eventBatchMs?: number | undefined;
  /** How long output waits when nothing else is to be sent. Default 250. */
  readonly outputBatchMs?: number | undefined;
  /** How often Realtime's socket is tried. Default 8 000. */
  readonly heartbeatMs?: number | undefined;
  /** For how long a channel may try to join before another one is made. Default 20 000. */
  readonly joinTimeoutMs?: number | undefined;
  /** How long closing takes at most: for answering what is under way, for telling it, and for saying goodbye. Default 5 000. */
  readonly closeTimeoutMs?: number | undefined;
}

/** Options of {@link createSupabaseTransport}. */
export type SupabaseTransportOptions = SupabaseAccess & {
  /** Whose tables these are, in the project. Any number of processes may have the same; it is not the `officeId` of `createOffice`. */
  readonly officeId: string;
  /** `false`: never; everything is found by looking, at the poll interval. Default: true. */
  readonly realtime?: boolean | undefined;
  /** What the host of a new session must have, among its labels. Default: nothing. */
  readonly sessionLabels?: readonly string[] | undefined;
  /**
   * How many batches of events a host sends a second, over time; twice as many at once. Each is one message of Realtime, and one
   * more for each session, turn and request that changes by it: a project has 100 messages a second on Supabase's free plan,
   * 500 and 2 500 on the others. Default 10.
   */
  readonly batchesPerSecond?: number | undefined;
  /**
   * For how long commands with their answers, turns, requests and sessions are kept once they are over, in milliseconds; dead commands
   * for ten times as long. An `office()` forgets what is older, once an hour. At least 60 000; `false`: nothing is forgotten unless
   * `semo_prune` is called otherwise. Default 7 days.
   */
  readonly keepEndedMs?: number | false | undefined;
  readonly times?: OfficeTimes | undefined;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
  /**
   * Told what went wrong and is being tried again. What it throws is printed to the error console, and changes nothing. Default:
   * nobody is told.
   */
  readonly onProblem?: ((problem: SemoError) => void) | undefined;
};

/** Options of a transport's `host()`. */
export interface HostOptions {
  /** The same one after a restart: its sessions and commands are found by it. */
  readonly hostId: string;
  /** How many sessions it runs at once. */
  readonly capacity: number;
  /** What it has that others have not. Default: none. */
  readonly labels?: readonly string[] | undefined;
  /** The kinds of agents it can run, with their versions. Default: it does not say, and is given any. */
  readonly agentVersions?: Readonly<Record<string, string>> | undefined;
  /** The sessions that live on it now, where it knows; those that are missing are reported lost. Default: it does not say. */
  readonly sessions?: readonly string[] | undefined;
  /**
   * Told once when another process registers as this host, with `lease_lost`: this end is closed then, and its sessions are lost to
   * the office. Stop, and end them; whoever took the name back would take it from the other. What it throws is printed to the error
   * console. Default: told as a problem only.
   */
  readonly onSuperseded?: ((why: SemoError) => void) | undefined;
}

/** What PostgreSQL's integer takes, which is what times and counts are there; a timer would take no more either. */
const MOST = 2 ** 31 - 1;

const count = z.number().int('It is a whole number.').nonnegative().max(MOST);

const pause = z.number().nonnegative().max(MOST);

const ms = (byDefault: number) => z.number().positive().max(MOST).default(byDefault);

const timesSchema = z.strictObject({
  answerTimeoutMs: count.min(1).default(30_000),
  fastPollMs: ms(100),
  slowPollMs: ms(2000),
  livePollMs: ms(5000),
  leaseMs: count.min(100).default(15_000),
  hostGraceMs: pause.default(120_000),
  eventBatchMs: pause.default(20),
  outputBatchMs: pause.default(250),
  heartbeatMs: ms(8000),
  joinTimeoutMs: ms(20_000),
  closeTimeoutMs: ms(5000),
});

const DAY_MS = 24 * 3_600_000;
/** Far less than what makes a moment that the database cannot tell. */
const LONGEST_KEPT_MS = 36_500 * DAY_MS;

const functionOf = <Given extends (...given: never[]) => unknown>() => functionSchema as unknown as z.ZodType<Given>;

const clientSchema = portSchema<Extract<SupabaseAccess, { client: unknown }>['client']>('rpc', 'from').refine(
  (client) => typeof client.realtime === 'object',
  'Invalid input: expected a client of supabase-js',
);

/** Both ways of access, each checked by itself: which of them it is, is said in one sentence. */
const accessFields = {
  client: clientSchema.optional(),
  url: z.url({ protocol: /^https?$/, error: 'Write https://….' }).optional(),
  key: z.string().min(1).optional(),
  accessToken: functionOf<() => Promise<string>>().optional(),
};

/** What a transport can be told, with its defaults. */
export const transportOptionsSchema = z
  .strictObject({
    ...accessFields,
    officeId: idSchema,
    realtime: z.boolean().default(true),
    sessionLabels: z.array(z.string()).default([]),
    batchesPerSecond: z.number().positive().default(10),
    keepEndedMs: z.union([z.number().int().min(60_000).max(LONGEST_KEPT_MS), z.literal(false)]).default(7 * DAY_MS),
    times: timesSchema.prefault({}),
    clock: (clockSchema as z.ZodType<Clock>).default(() => systemClock),
    onProblem: functionOf<(problem: SemoError) => void>().default(() => () => {}),
  })
  .transform(({ client, url, key, accessToken, ...settings }, context) => {
    const parts = [url, key, accessToken].filter((part) => part !== undefined);
    if (client !== undefined && parts.length === 0) return { ...settings, access: { client } };
    if (client === undefined && url !== undefined && key !== undefined)
      return { ...settings, access: { url, key, accessToken } };
    context.addIssue('Give either a client, or a url and a key (with an accessToken, if need be).');
    return z.NEVER;
  });

/** See {@link transportOptionsSchema}. */
export type TransportSettings = z.output<typeof transportOptionsSchema>;

/** What a host can be told, with its defaults. */
export const hostOptionsSchema = z.strictObject({
  hostId: idSchema,
  capacity: count,
  labels: z.array(z.string().min(1)).default([]),
  agentVersions: z.record(z.string(), z.string()).default({}),
  sessions: z.array(idSchema).optional(),
  onSuperseded: functionOf<(why: SemoError) => void>().optional(),
});
