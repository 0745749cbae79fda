import { z } from 'zod';

import { assertNever } from '../errors.ts';
import { idSchema } from '../ids.ts';
import { sessionInfoSchema, sessionSpecSchema, type ResolvedSessionSpec } from './session.ts';
import { turnInfoSchema } from './turn.ts';

/** Epoch milliseconds. */
const at = z.number();

/** A session's spec as it is kept: of the variables that were set only the names, since values may be secrets. */
export const keptSpecSchema = sessionSpecSchema.extend({
  environment: z.strictObject({ pass: z.array(z.string()).readonly(), set: z.array(z.string()).readonly() }),
});

/** See {@link keptSpecSchema}. */
export type KeptSpec = z.output<typeof keptSpecSchema>;

/** A spec without the values of its variables. Pure. */
export function keptSpec(spec: ResolvedSessionSpec): KeptSpec {
  const { pass, set } = spec.environment;
  return { ...spec, environment: { pass, set: Object.keys(set).toSorted() } };
}

/** A session as it is kept, so that it is still known when its host is gone. */
export const sessionRecordSchema = z.object({
  sessionId: idSchema,
  /** Which host ran it. */
  hostId: z.string().min(1).max(4096),
  spec: keptSpecSchema,
  /** What was known of it when this was written. */
  info: sessionInfoSchema,
  /** The agent's own id of its present conversation; `null` where that is not known, or it has none. */
  conversationId: z.string().nullable(),
  /** The folder on the host below which the agent writes its conversations; `null`: it writes none. */
  transcripts: z.string().nullable(),
  /** When it ended; `null`: it has not, or its host was killed before it could say so. */
  endedAt: at.nullable(),
});

/** See {@link sessionRecordSchema}. */
export type SessionRecord = z.output<typeof sessionRecordSchema>;

/** How far a prompt has come, each step with its time. The order never turns round. */
export const deliverySchema = z.discriminatedUnion('kind', [
  /** It is to be sent. Nothing of it has left the host. */
  z.object({ kind: z.literal('intent'), intentAt: at }),
  /** It is about to be sent, or has been: written before the first byte goes to the agent. */
  z.object({ kind: z.literal('submitted'), intentAt: at, submittedAt: at }),
  /** The agent has taken it. */
  z.object({ kind: z.literal('accepted'), intentAt: at, submittedAt: at.nullable(), acceptedAt: at }),
  z.object({
    kind: z.literal('ended'),
    intentAt: at,
    submittedAt: at.nullable(),
    acceptedAt: at.nullable(),
    endedAt: at,
    /** The verdict. */
    turn: turnInfoSchema,
  }),
]);

/** See {@link deliverySchema}. */
export type Delivery = z.output<typeof deliverySchema>;

/** A turn as it is kept. */
export const turnRecordSchema = z.object({
  sessionId: idSchema,
  turnId: idSchema,
  /** The conversation the prompt was sent into; `null` where that is not known. */
  conversationId: z.string().nullable(),
  prompt: z.object({
    /**
     * SHA-256, in hexadecimal, of the prompt as its host compares it with what the agent wrote down. The prompt itself is
     * not kept.
     */
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    /** Length in bytes of UTF-8. */
    bytes: z.number().int().nonnegative(),
  }),
  /** See `PromptOptions.require`. */
  require: z.enum(['marker']).optional(),
  /** Offset in the session's output at which the prompt was sent; 0 until then. */
  outputStart: z.number().int().nonnegative(),
  delivery: deliverySchema,
});

/** See {@link turnRecordSchema}. */
export type TurnRecord = z.output<typeof turnRecordSchema>;

/** A step of a turn's delivery, with what is learnt by it. */
export const turnStepSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('submitted'),
    at,
    /** Default: what the record says. */
    conversationId: z.string().nullable().optional(),
    outputStart: z.number().int().nonnegative().optional(),
  }),
  z.object({ kind: z.literal('accepted'), at, conversationId: z.string().nullable().optional() }),
  z.object({ kind: z.literal('ended'), at, turn: turnInfoSchema, conversationId: z.string().nullable().optional() }),
]);

/** See {@link turnStepSchema}. */
export type TurnStep = z.output<typeof turnStepSchema>;

const ORDER: readonly Delivery['kind'][] = ['intent', 'submitted', 'accepted', 'ended'];

/** The record after a step; `null`: it has come as far already, or farther. Pure. */
export function advancedTurn(record: TurnRecord, step: TurnStep): TurnRecord | null {
  const { delivery } = record;
  if (delivery.kind === 'ended' || ORDER.indexOf(step.kind) <= ORDER.indexOf(delivery.kind)) return null;
  const conversationId = step.conversationId === undefined ? record.conversationId : step.conversationId;
  const { intentAt } = delivery;
  const submittedAt = 'submittedAt' in delivery ? delivery.submittedAt : null;
  const acceptedAt = 'acceptedAt' in delivery ? delivery.acceptedAt : null;
  const next = { ...record, conversationId };
  switch (step.kind) {
    case 'submitted': {
      const outputStart = step.outputStart ?? record.outputStart;
      return { ...next, outputStart, delivery: { kind: 'submitted', intentAt, submittedAt: step.at } };
    }
    case 'accepted':
      return { ...next, delivery: { kind: 'accepted', intentAt, submittedAt, acceptedAt: step.at } };
    case 'ended': {
      const { at: endedAt, turn } = step;
      return { ...next, delivery: { kind: 'ended', intentAt, submittedAt, acceptedAt, endedAt, turn } };
    }
    default:
      return assertNever(step);
  }
}
