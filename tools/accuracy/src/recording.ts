import { z } from 'zod';

import type { Observation } from './observation.ts';

/** What the agent printed, or a hook it called; in the order in which it happened. */
const recordedEventSchema = z.union([
  z.strictObject({ out: z.base64() }),
  z.strictObject({ hook: z.string(), input: z.looseObject({}) }),
]);

/** A turn as the real CLI took it, kept as data: what it printed byte for byte, and the hooks it called. */
export const recordingSchema = z.strictObject({
  /** `family: name` of the kind, which knows the truth. */
  kind: z.string(),
  face: z.enum(['alternate', 'classic', 'stream']),
  cols: z.number().nullable(),
  /** Of the CLI. */
  version: z.string(),
  /** What it printed until it could take a prompt. */
  start: z.array(z.base64()),
  /** What happened from the prompt to the verdict. */
  turn: z.array(recordedEventSchema),
});

/** See {@link recordingSchema}. */
export type Recording = z.infer<typeof recordingSchema>;
/** See {@link recordingSchema}. */
export type RecordedEvent = Recording['turn'][number];

/** More than this is not worth keeping, in bytes. */
const MOST_BYTES = 48 * 1024;

/** A trial as a recording; `null` where it lives of what is done to the agent, or printed too much. */
export function recordingOf(observation: Observation, version: string): Recording | null {
  const { trial, turn, heardAt, chunks, hooks } = observation;
  const { kind, setting } = trial;
  if (turn === null || heardAt === null || !isPlayable(observation)) return null;
  const during = chunks.filter(({ at, offset }) => at <= heardAt && offset >= turn.outputStart);
  const printed = during.map(({ at, bytes }) => ({ at, event: { out: Buffer.from(bytes).toString('base64') } }));
  const called = hooks
    .filter(({ at }) => at <= heardAt)
    .map(({ at, event, input }) => ({ at, event: { hook: event, input: input as Record<string, unknown> } }));
  // Over pipes the agent says everything by messages.
  const happened = setting.face === 'stream' ? printed : [...printed, ...called];
  return {
    kind: `${kind.family}: ${kind.name}`,
    ...setting,
    version,
    start: setting.face === 'stream' ? [] : startOf(observation),
    turn: happened.toSorted((left, right) => left.at - right.at).map(({ event }) => event),
  };
}

function startOf({ turn, chunks }: Observation): string[] {
  return chunks
    .filter(({ offset }) => offset < (turn?.outputStart ?? 0))
    .map(({ bytes }) => Buffer.from(bytes).toString('base64'));
}

function isPlayable({ trial: { kind }, chunks }: Observation): boolean {
  const isTouched = kind.before !== undefined || kind.meanwhile !== undefined;
  const isInterrupted = kind.options.completeOn !== undefined || kind.options.endWithBackgroundTasks === true;
  const isAgentsOwn = kind.truth.outcome === 'completed' || kind.truth.outcome === 'failed';
  const length = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return isAgentsOwn && !isTouched && !isInterrupted && length <= MOST_BYTES;
}
