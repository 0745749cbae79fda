import type { TurnState } from '../session/turn.ts';
import type { Decider, Evidence } from './evidence.ts';
import type { Milestone, MilestoneKind } from './milestone.ts';
import type { TurnUsage } from './usage.ts';

/** What a turn is judged by: plain JSON, so that it can travel and be kept beside a recording. */
export interface MonitorConfig {
  /**
   * The sources that live for this agent. `silence` is listed only for agents that have no signal of their own; for all
   * others silence is reported as stalled and decides nothing.
   */
  readonly sources: readonly Decider[];
  /** What the agent's exit says: an agent that should have stayed `crashed`, a program's exit `status` is its answer. */
  readonly exitMeans: 'crash' | 'status';
  /** Time the turn may run, in milliseconds; waiting for a person does not count. */
  readonly timeoutMs: number;
  /** Quiet time until the turn counts as silent, in milliseconds. */
  readonly silenceMs: number;
  readonly require?: 'marker' | undefined;
  /** Milestones that complete the turn. Default none. */
  readonly completeOn?: readonly MilestoneKind[] | undefined;
  /** Whether the agent's end counts although background tasks of it still run. Default false. */
  readonly endWithBackgroundTasks?: boolean | undefined;
}

/** All that is known of a turn so far. Immutable: {@link observe} makes the next one. */
export interface MonitorState {
  readonly config: MonitorConfig;
  /** The sources that can still tell. */
  readonly alive: readonly Decider[];
  readonly turn: TurnState;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  /** Since when nothing has happened, once that has been told. */
  readonly stalledSince: number | null;
  /** Whether the agent has printed anything of its own: silence means nothing before that. */
  readonly hasSpoken: boolean;
  /** When the present wait for a person began. */
  readonly waitingSince: number | null;
  readonly waitedMs: number;
  readonly text: string;
  readonly milestones: readonly Milestone[];
  readonly percent: number | null;
  readonly evidence: readonly Evidence[];
  /** What the agent has told that it used; `null`: nothing yet. */
  readonly usage: TurnUsage | null;
}

/** The state of a turn at the moment its prompt is sent. */
export function beginTurn(config: MonitorConfig, at: number): MonitorState {
  return {
    config,
    alive: config.sources,
    turn: { kind: 'running' },
    startedAt: at,
    lastActivityAt: at,
    stalledSince: null,
    hasSpoken: false,
    waitingSince: null,
    waitedMs: 0,
    text: '',
    milestones: [],
    percent: null,
    evidence: [],
    usage: null,
  };
}
