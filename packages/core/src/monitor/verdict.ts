import { SemoError } from '../errors.ts';
import type { SessionLimit } from '../session/session-limits.ts';
import type { Confidence, Outcome } from '../session/turn.ts';
import type { Decider, TurnError } from './evidence.ts';
import type { MonitorState } from './monitor-state.ts';

/** The word an agent may end its final message with to say that the job is done. */
export const DONE_MARKER = '[SEMO:DONE]';

/** The end of an agent that has had its say: by an error, or by its final message. */
export function endWithWords(
  state: MonitorState,
  verdict: Pick<Verdict, 'decidedBy' | 'confidence' | 'at'>,
  error: TurnError | undefined,
): MonitorState {
  if (error !== undefined) return end(state, { ...verdict, outcome: 'failed', error });
  if (state.config.require === 'marker' && !state.text.includes(DONE_MARKER)) {
    const message = `The agent ended its turn without ${DONE_MARKER} in its final message.`;
    return end(state, { ...verdict, outcome: 'failed', error: turnError('marker_missing', message) });
  }
  return end(state, { ...verdict, outcome: 'completed' });
}

/** The end of a turn whose time is up. */
export function timedOut(state: MonitorState, at: number): MonitorState {
  const message = `The turn did not end within ${state.config.timeoutMs} ms.`;
  return end(state, { outcome: 'timed_out', decidedBy: 'timeout', at, error: turnError('turn_timed_out', message) });
}

/** The error of a turn whose session has come to a limit of its own. */
export function limitError(limit: SessionLimit): TurnError {
  return limit === 'max_wall'
    ? turnError('session_timed_out', 'The session came to the end of its time (limits.maxWallMs) during the turn.')
    : turnError('output_limit', 'The agent printed more than its session may (limits.maxOutputTotalBytes).');
}

/** How a turn ended, and by what. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly confidence?: Confidence;
  readonly decidedBy: Decider;
  readonly at: number;
  readonly error?: TurnError;
}

/** The state of a turn that has ended. */
export function end(
  state: MonitorState,
  { outcome, confidence = 'certain', decidedBy, at, error }: Verdict,
): MonitorState {
  return {
    ...state,
    waitingSince: null,
    turn: { kind: 'ended', outcome, confidence, decidedBy, at, error: error ?? null },
  };
}

/** A turn's error from a code and a sentence; class and retryability follow from the code. */
export function turnError(
  code: SemoError['code'],
  message: string,
  { retryAt, limit }: Pick<TurnError, 'retryAt' | 'limit'> = {},
): TurnError {
  const error = new SemoError(code, message);
  return {
    code,
    class: error.class,
    message,
    retryable: error.retryable,
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(limit === undefined ? {} : { limit }),
  };
}
