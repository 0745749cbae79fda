import { z } from 'zod';

import { assertNever } from '../errors.ts';
import { answererSchema, humanAnswerSchema, humanRequestSchema } from './human-request.ts';

/** Epoch milliseconds. */
const at = z.number();

/**
 * Why a request was taken back: the `agent` no longer wants to know, its turn is over, its session has ended, or the same
 * question has been `asked_again` by a session that goes on with the conversation.
 */
export const withdrawalSchema = z.enum(['agent', 'turn_over', 'session_ended', 'asked_again']);

/** See {@link withdrawalSchema}. */
export type Withdrawal = z.infer<typeof withdrawalSchema>;

/** What a request has come to. It never changes again; only an answer that was kept is given, once. */
export const settledStateSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answered'),
    answer: humanAnswerSchema,
    /** Who said it: `person`, `policy`, `rule <name>`, or what the caller named. */
    by: answererSchema,
    at,
    /** When the agent got it; `null`: it is kept for the session that goes on with the conversation. */
    givenAt: at.nullable(),
  }),
  z.object({ kind: z.literal('withdrawn'), why: withdrawalSchema, at }),
  z.object({ kind: z.literal('expired'), at }),
]);

/** See {@link settledStateSchema}. */
export type SettledState = z.infer<typeof settledStateSchema>;

/** Where a request stands. */
export const requestStateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('open') }),
  ...settledStateSchema.options,
]);

/** See {@link requestStateSchema}. */
export type RequestState = z.infer<typeof requestStateSchema>;

/** A request as it is kept: what was asked, and what has come of it. */
export const requestRecordSchema = z.object({ request: humanRequestSchema, state: requestStateSchema });

/** See {@link requestRecordSchema}. */
export type RequestRecord = z.infer<typeof requestRecordSchema>;

/** The record after an attempt to settle it; `null`: it has been settled already. Pure. */
export function settledRecord(record: RequestRecord, state: SettledState): RequestRecord | null {
  return record.state.kind === 'open' ? { ...record, state } : null;
}

/** The record once its kept answer is given; `null`: there is none, or it has been given. Pure. */
export function givenRecord(record: RequestRecord, givenAt: number): RequestRecord | null {
  const { state } = record;
  return state.kind === 'answered' && state.givenAt === null ? { ...record, state: { ...state, givenAt } } : null;
}

/** Whether a record was settled before that moment. An open one never was. */
export function isSettledBefore({ state }: RequestRecord, moment: number): boolean {
  switch (state.kind) {
    case 'open':
      return false;
    case 'answered':
      return (state.givenAt ?? state.at) < moment;
    case 'withdrawn':
    case 'expired':
      return state.at < moment;
    default:
      return assertNever(state);
  }
}
