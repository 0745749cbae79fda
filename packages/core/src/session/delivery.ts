import type { ErrorCode } from '../errors.ts';
import { DONE_MARKER, turnError } from '../monitor/verdict.ts';
import type { Evidence, TurnError } from '../monitor/evidence.ts';
import type { TurnRecord } from './session-record.ts';
import type { Outcome, TurnInfo } from './turn.ts';

/** What an agent's own transcript says of a prompt, once the agent is gone. */
export type TranscriptFinding =
  /** There is none, or it cannot be found or read. */
  | { readonly kind: 'unreadable' }
  /** It can be read, and the prompt is not in it. */
  | { readonly kind: 'absent' }
  /** The prompt is in it, and no end of its turn. */
  | { readonly kind: 'unfinished' }
  /** The agent's final message ended the turn. */
  | { readonly kind: 'finished'; readonly text: string }
  /** The agent ended the turn by an error. */
  | { readonly kind: 'failed'; readonly text: string; readonly error: TurnError };

/** What is decided of a turn that its host did not see end. */
export interface DeliveryVerdict {
  readonly outcome: Outcome;
  /** The error's code; `told`: the agent's own error; `null`: none. */
  readonly code: ErrorCode | 'told' | null;
  /**
   * What the office may do next, without asking anybody:
   *
   * - `as_usual`: the agent has had its say, as if the host had lived.
   * - `send_again`: nothing of the prompt was acted on.
   * - `resume`: go on with the conversation, which has the prompt in it. Never the prompt once more.
   * - `ask`: a person decides.
   */
  readonly next: 'as_usual' | 'send_again' | 'resume' | 'ask';
}

const NEVER_ARRIVED: DeliveryVerdict = { outcome: 'failed', code: 'prompt_not_accepted', next: 'send_again' };
const UNDECIDED: DeliveryVerdict = { outcome: 'unknown', code: 'delivery_unknown', next: 'ask' };
const CUT_SHORT: DeliveryVerdict = { outcome: 'crashed', code: 'agent_crashed', next: 'resume' };
const FINISHED: DeliveryVerdict = { outcome: 'completed', code: null, next: 'as_usual' };
const FAILED: DeliveryVerdict = { outcome: 'failed', code: 'told', next: 'as_usual' };

/** How far the host had written that a prompt had come. What has `ended` needs no verdict: it has one. */
export type OpenDelivery = Exclude<TurnRecord['delivery']['kind'], 'ended'>;

/**
 * The verdict for each pair of what the host wrote down and what the agent's transcript says. Where only `intent` is
 * written, no transcript is looked into: nothing had left the host.
 */
export const DELIVERY_TABLE: Readonly<
  Record<OpenDelivery, Readonly<Record<TranscriptFinding['kind'], DeliveryVerdict>>>
> = {
  intent: {
    unreadable: NEVER_ARRIVED,
    absent: NEVER_ARRIVED,
    unfinished: NEVER_ARRIVED,
    finished: NEVER_ARRIVED,
    failed: NEVER_ARRIVED,
  },
  submitted: {
    unreadable: UNDECIDED,
    absent: NEVER_ARRIVED,
    unfinished: CUT_SHORT,
    finished: FINISHED,
    failed: FAILED,
  },
  accepted: {
    unreadable: UNDECIDED,
    // The agent has said that it took the prompt. A transcript is written a little later: one that was killed meanwhile
    // may have been at work.
    absent: UNDECIDED,
    unfinished: CUT_SHORT,
    finished: FINISHED,
    failed: FAILED,
  },
};

/** What {@link settleDelivery} decides by. */
export interface DeliveryFacts {
  readonly recorded: OpenDelivery;
  readonly transcript: TranscriptFinding['kind'];
  /**
   * The machine has been started since. What was written last may be lost then, in our records and in transcripts, so
   * nothing is concluded from what is missing. Default false.
   */
  readonly afterReboot?: boolean | undefined;
}

/**
 * Decides what became of a prompt whose host was killed. What cannot be decided is `delivery_unknown`. Pure.
 *
 * @example
 * ```ts
 * settleDelivery({ recorded: 'submitted', transcript: 'absent' }); // { outcome: 'failed', code: 'prompt_not_accepted', … }
 * ```
 */
export function settleDelivery({ recorded, transcript, afterReboot = false }: DeliveryFacts): DeliveryVerdict {
  if (afterReboot && (recorded === 'intent' || transcript === 'absent')) return UNDECIDED;
  return DELIVERY_TABLE[recorded][transcript];
}

/** The end of a turn that its host did not see end, as {@link settleDelivery} decides it. Pure. */
export function settledTurn(
  record: TurnRecord,
  {
    finding,
    at,
    afterReboot,
  }: { readonly finding: TranscriptFinding; readonly at: number; readonly afterReboot: boolean },
): TurnInfo {
  const { delivery, sessionId, turnId, outputStart } = record;
  if (delivery.kind === 'ended') return delivery.turn;
  const verdict = settleDelivery({ recorded: delivery.kind, transcript: finding.kind, afterReboot });
  const hasSpoken = verdict.next === 'as_usual' && 'text' in finding;
  const text = hasSpoken ? finding.text : '';
  const error = errorOf(verdict, finding) ?? (hasSpoken ? missingMarker(record, text) : null);
  const outcome = error?.code === 'marker_missing' ? 'failed' : verdict.outcome;
  const decidedBy = hasSpoken ? 'agent_end' : 'lost';
  const acceptedAt = 'acceptedAt' in delivery ? delivery.acceptedAt : null;
  const submittedAt = 'submittedAt' in delivery ? delivery.submittedAt : null;
  return {
    turnId,
    sessionId,
    state: { kind: 'ended', outcome, confidence: 'certain', decidedBy, at, error },
    acceptedAt: acceptedAt ?? submittedAt ?? delivery.intentAt,
    outputStart,
    text,
    milestones: [],
    percent: null,
    evidence: evidenceOf({ acceptedAt, at, text, hasSpoken, error }),
  };
}

function errorOf({ code }: DeliveryVerdict, finding: TranscriptFinding): TurnError | null {
  switch (code) {
    case null:
      return null;
    case 'told':
      return finding.kind === 'failed' ? finding.error : null;
    case 'prompt_not_accepted':
      return turnError(code, 'The host was killed before the agent had the prompt. Nothing was done; send it again.');
    case 'agent_crashed':
      return turnError(
        code,
        'The host was killed while the agent worked on the prompt. Its conversation can be resumed.',
      );
    default:
      return turnError(
        'delivery_unknown',
        'The host was killed, and nothing tells whether the agent had the prompt or finished with it. Look at the workspace before you send it again.',
      );
  }
}

function missingMarker({ require }: TurnRecord, text: string): TurnError | null {
  if (require !== 'marker' || text.includes(DONE_MARKER)) return null;
  return turnError('marker_missing', `The agent ended its turn without ${DONE_MARKER} in its final message.`);
}

function evidenceOf({
  acceptedAt,
  at,
  text,
  hasSpoken,
  error,
}: {
  readonly acceptedAt: number | null;
  readonly at: number;
  readonly text: string;
  readonly hasSpoken: boolean;
  readonly error: TurnError | null;
}): Evidence[] {
  const accepted: Evidence[] = acceptedAt === null ? [] : [{ kind: 'accepted', at: acceptedAt }];
  const told = error === null || error.code === 'marker_missing' ? {} : { error };
  if (hasSpoken) return [...accepted, { kind: 'agent_end', at, text, backgroundTasks: 0, ...told }];
  return error === null ? accepted : [...accepted, { kind: 'lost', at, error }];
}
