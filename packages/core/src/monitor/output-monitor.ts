import { assertNever } from '../errors.ts';
import { DECIDERS, type Decider, type Evidence } from './evidence.ts';
import { isSameMilestone } from './milestone.ts';
import type { MonitorState } from './monitor-state.ts';
import { addUsage } from './usage.ts';
import { end, endWithWords, limitError, timedOut, turnError } from './verdict.ts';

const BY_STRENGTH: readonly Decider[] = DECIDERS;
/** Sources that tell of every end of a turn: while one of them lives, nothing weaker decides. */
const TELL_EVERY_END: readonly Decider[] = ['agent_end', 'shell_mark'];
/** As much is kept of what may be told without end. */
const MOST_TROUBLES = 100;
const MOST_MILESTONES = 1000;

/**
 * What is known after one more observation. Pure. A verdict never changes: evidence that comes after it is dropped.
 *
 * @example
 * ```ts
 * let state = beginTurn(config, 0);
 * state = observe(state, { kind: 'agent_end', at: 900, text: 'Done.', backgroundTasks: 0 });
 * state.turn; // { kind: 'ended', outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end', … }
 * ```
 */
export function observe(state: MonitorState, evidence: Evidence): MonitorState {
  if (state.turn.kind === 'ended') return state;
  if (evidence.kind === 'tick') return afterTick(state, evidence.at);
  const active = { ...state, lastActivityAt: evidence.at, stalledSince: null };
  if (evidence.kind === 'activity') return { ...active, hasSpoken: true };
  if (isKnown(state, evidence)) return active;
  return weigh({ ...active, evidence: [...state.evidence, evidence] }, evidence);
}

/** When {@link observe} next wants a `tick`, in epoch milliseconds; `null` when nothing depends on time. */
export function nextTickAt(state: MonitorState): number | null {
  if (state.turn.kind !== 'running') return null;
  const deadline = state.startedAt + state.waitedMs + state.config.timeoutMs;
  const quiet = state.lastActivityAt + state.config.silenceMs;
  return state.stalledSince === null ? Math.min(deadline, quiet) : deadline;
}

function weigh(state: MonitorState, evidence: Exclude<Evidence, { kind: 'tick' | 'activity' }>): MonitorState {
  switch (evidence.kind) {
    case 'accepted':
    case 'retrying':
    case 'trouble':
    case 'self_started':
      return state;
    case 'agent_end':
      return afterAgentEnd(state, evidence);
    case 'at_rest':
      return afterRest(state, evidence);
    case 'exit':
      return afterExit(state, evidence);
    case 'shell_mark':
      return mayDecide(state, 'shell_mark') ? afterShellMark(state, evidence) : state;
    case 'screen_marker':
      if (!mayDecide(state, 'screen_marker')) return state;
      return end(state, { outcome: 'completed', decidedBy: 'screen_marker', at: evidence.at });
    case 'waiting':
      return {
        ...state,
        turn: { kind: 'waiting', for: evidence.for, requestId: evidence.requestId },
        waitingSince: state.waitingSince ?? evidence.at,
      };
    case 'answered':
      return afterAnswer(state, evidence);
    case 'milestone':
      return afterMilestone(state, evidence);
    case 'progress':
      return { ...state, percent: evidence.percent };
    case 'stopped':
      return afterStop(state, evidence);
    case 'lost':
      return afterLoss(state, evidence);
    default:
      return assertNever(evidence);
  }
}

/** Told before: a screen that is painted again, an agent that repeats what a tool said. */
function isKnown(state: MonitorState, evidence: Evidence): boolean {
  if (evidence.kind === 'milestone') {
    const { milestones } = state;
    return (
      milestones.length >= MOST_MILESTONES || milestones.some((known) => isSameMilestone(known, evidence.milestone))
    );
  }
  if (evidence.kind !== 'trouble') return false;
  const troubles = state.evidence.filter(({ kind }) => kind === 'trouble');
  return troubles.length >= MOST_TROUBLES || troubles.some((known) => 'text' in known && known.text === evidence.text);
}

/** Whether the word of a source counts: it is one of this turn's, and none that tells every end and is stronger lives. */
function mayDecide({ alive }: MonitorState, source: Decider): boolean {
  const rank = BY_STRENGTH.indexOf(source);
  return (
    alive.includes(source) &&
    !alive.some((other) => TELL_EVERY_END.includes(other) && BY_STRENGTH.indexOf(other) < rank)
  );
}

function afterShellMark(state: MonitorState, { at, code }: Extract<Evidence, { kind: 'shell_mark' }>): MonitorState {
  if (code === 0) return end(state, { outcome: 'completed', decidedBy: 'shell_mark', at });
  const error = turnError('agent_exit_failed', `The command ended with status ${code}.`);
  return end(state, { outcome: 'failed', decidedBy: 'shell_mark', at, error });
}

function afterMilestone(state: MonitorState, evidence: Extract<Evidence, { kind: 'milestone' }>): MonitorState {
  const told = { ...state, milestones: [...state.milestones, evidence.milestone] };
  if (state.config.completeOn?.includes(evidence.milestone.kind) !== true) return told;
  return end(told, { outcome: 'completed', decidedBy: 'milestone', at: evidence.at });
}

function afterLoss(state: MonitorState, { at, error, source }: Extract<Evidence, { kind: 'lost' }>): MonitorState {
  const alive = source === undefined ? [] : state.alive.filter((other) => other !== source);
  const left = { ...state, alive };
  return alive.length > 0 ? left : end(left, { outcome: 'unknown', decidedBy: 'lost', at, error });
}

function afterAgentEnd(state: MonitorState, evidence: Extract<Evidence, { kind: 'agent_end' }>): MonitorState {
  if (!mayDecide(state, 'agent_end')) return state;
  const usage = addUsage(state.usage, evidence.usage ?? null);
  const told = { ...state, usage, text: evidence.text === '' ? state.text : evidence.text };
  const verdict = { decidedBy: 'agent_end', at: evidence.at } as const;
  // The agent goes on by itself when a background task ends, so this is a pause, not the end.
  const goesOn = evidence.backgroundTasks > 0 && state.config.endWithBackgroundTasks !== true;
  if (goesOn && evidence.error === undefined) return resume(told, evidence.at);
  return endWithWords(told, verdict, evidence.error);
}

/** Seen from outside, an agent that waits for a person or for a task of its own looks as if it had done. */
function afterRest(state: MonitorState, evidence: Extract<Evidence, { kind: 'at_rest' }>): MonitorState {
  const { turn, evidence: known, text } = state;
  const wasAccepted = known.some(({ kind }) => kind === 'accepted');
  const isPaused = known.some((one) => one.kind === 'agent_end' && one.backgroundTasks > 0);
  if (turn.kind !== 'running' || !wasAccepted || isPaused || !mayDecide(state, evidence.source)) return state;
  const told = { ...state, text: evidence.text === '' ? text : evidence.text };
  const verdict = { decidedBy: evidence.source, confidence: 'inferred', at: evidence.at } as const;
  return endWithWords(told, verdict, evidence.error);
}

function afterExit(state: MonitorState, evidence: Extract<Evidence, { kind: 'exit' }>): MonitorState {
  const verdict = { decidedBy: 'exit', at: evidence.at } as const;
  const how = evidence.signal === null ? `with status ${evidence.code}` : `by signal ${evidence.signal}`;
  if (state.config.exitMeans === 'crash' || evidence.signal !== null) {
    return end(state, {
      ...verdict,
      outcome: 'crashed',
      error: turnError('agent_crashed', `The agent ended ${how} during the turn.`),
    });
  }
  if (evidence.code === 0) return end(state, { ...verdict, outcome: 'completed' });
  return end(state, {
    ...verdict,
    outcome: 'failed',
    error: turnError('agent_exit_failed', `The program ended ${how}.`),
  });
}

function afterAnswer(state: MonitorState, evidence: Extract<Evidence, { kind: 'answered' }>): MonitorState {
  if (state.turn.kind !== 'waiting' || state.turn.requestId !== evidence.requestId) return state;
  return resume(state, evidence.at);
}

function resume(state: MonitorState, at: number): MonitorState {
  const waited = state.waitingSince === null ? 0 : at - state.waitingSince;
  return { ...state, turn: { kind: 'running' }, waitingSince: null, waitedMs: state.waitedMs + waited };
}

function afterStop(state: MonitorState, evidence: Extract<Evidence, { kind: 'stopped' }>): MonitorState {
  const { at, by } = evidence;
  switch (by) {
    case 'cancel':
      return end(state, {
        outcome: 'cancelled',
        decidedBy: by,
        at,
        error: turnError('turn_cancelled', 'The turn was cancelled.'),
      });
    case 'timeout':
      return timedOut(state, at);
    case 'session_timeout':
      return end(state, { outcome: 'timed_out', decidedBy: 'timeout', at, error: limitError('max_wall') });
    case 'output_limit':
      return end(state, { outcome: 'failed', decidedBy: by, at, error: limitError('max_output') });
    case 'needs_input':
      return end(state, {
        outcome: 'needs_input',
        decidedBy: by,
        at,
        error: turnError('needs_input', 'The agent asked for a person and nobody is there to answer.'),
      });
    default:
      return assertNever(by);
  }
}

function afterTick(state: MonitorState, at: number): MonitorState {
  if (state.turn.kind !== 'running') return state;
  if (at >= state.startedAt + state.waitedMs + state.config.timeoutMs) return timedOut(state, at);
  if (at < state.lastActivityAt + state.config.silenceMs) return state;
  if (mayDecide(state, 'silence') && state.hasSpoken) {
    return end(state, { outcome: 'completed', confidence: 'inferred', decidedBy: 'silence', at });
  }
  return { ...state, stalledSince: state.stalledSince ?? state.lastActivityAt };
}
