import type { Observation } from './observation.ts';
import type { Face } from './setting.ts';

/** How long one verdict took, in milliseconds. */
export interface Delay {
  readonly face: Face;
  /** After the agent itself had said so: its hook reached a witness, its result line was printed. */
  readonly afterSignalMs: number;
  /** After the last byte of the model's last answer. */
  readonly afterLastByteMs: number;
}

const SIGNALS = new Set(['Stop', 'StopFailure']);
const RESULT = '"type":"result"';

/** The delay of a verdict that was the agent's own word; `null` of any other. */
export function delayOf(observation: Observation): Delay | null {
  const { turn, heardAt, answers, trial } = observation;
  const signalAt = signalOf(observation);
  const lastByteAt = answers.at(-1)?.lastByteAt;
  if (turn?.state.kind !== 'ended' || turn.state.decidedBy !== 'agent_end') return null;
  if (heardAt === null || signalAt === undefined || lastByteAt === undefined) return null;
  return { face: trial.setting.face, afterSignalMs: heardAt - signalAt, afterLastByteMs: heardAt - lastByteAt };
}

function signalOf({ trial, hooks, chunks }: Observation): number | undefined {
  if (trial.setting.face !== 'stream') return hooks.findLast(({ event }) => SIGNALS.has(event))?.at;
  return chunks.findLast(({ bytes }) => Buffer.from(bytes).includes(RESULT))?.at;
}

/** Percentiles in a line. */
export function delayLine(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const at = (share: number) => `${percentile(values, share)} ms`;
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, at most ${at(1)} (${values.length} turns)`;
}

/** The value below which `share` of all values lie, by nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
