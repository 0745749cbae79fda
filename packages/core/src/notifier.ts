import { z } from 'zod';

import { idSchema } from './ids.ts';

const about = {
  /** For people, ready to show. */
  sentence: z.string(),
  requestId: idSchema,
  sessionId: idSchema,
  turnId: idSchema,
  /** Epoch milliseconds. */
  at: z.number(),
};

/** Something people should know. What looks like a credential is taken out, and long inputs are cut. */
export const noticeSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('request_opened'),
    ...about,
    for: z.enum(['permission', 'question']),
    tool: z.string().optional(),
    input: z.unknown().optional(),
    expiresAt: z.number().optional(),
  }),
  z.object({
    kind: z.literal('request_settled'),
    ...about,
    outcome: z.enum(['allowed', 'denied', 'withdrawn', 'expired']),
    /** Who answered. */
    by: z.string().optional(),
  }),
  /** A job has ended as it did because only a person can help: credentials, leave, a prompt of unknown fate. */
  z.object({
    kind: z.literal('job_needs_person'),
    sentence: about.sentence,
    jobId: idSchema,
    /** Empty: it never got one. */
    sessionId: z.string(),
    /** The error's code. */
    code: z.string(),
    at: about.at,
  }),
]);

/** See {@link noticeSchema}. */
export type Notice = z.infer<typeof noticeSchema>;
/** A {@link Notice} of something an agent asks. */
export type RequestNotice = Extract<Notice, { readonly requestId: string }>;

/**
 * Tells people, wherever they are. One that fails is reported and never fails a job.
 *
 * @example
 * ```ts
 * const notifier: Notifier = { notify: async ({ sentence }) => console.log(sentence) };
 * ```
 */
export interface Notifier {
  /** `signal` aborts when there is no more time, or nobody wants to know any more. */
  notify(notice: Notice, call: { readonly signal: AbortSignal }): Promise<void>;
}
