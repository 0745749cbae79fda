import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  beginTurn,
  nextTickAt,
  observe,
  turnError,
  type Evidence,
  type MonitorConfig,
  type MonitorState,
} from '../../src/index.ts';

const CLAUDE: MonitorConfig = {
  sources: ['agent_end', 'exit'],
  exitMeans: 'crash',
  timeoutMs: 60_000,
  silenceMs: 5000,
};
const COMMAND: MonitorConfig = {
  sources: ['exit', 'screen_marker', 'silence'],
  exitMeans: 'status',
  timeoutMs: 60_000,
  silenceMs: 5000,
};

function after(config: MonitorConfig, ...evidence: readonly Evidence[]): MonitorState {
  return evidence.reduce(observe, beginTurn(config, 0));
}

const end = (at: number, more: Partial<Extract<Evidence, { kind: 'agent_end' }>> = {}): Evidence => ({
  kind: 'agent_end',
  at,
  text: 'Done.',
  backgroundTasks: 0,
  ...more,
});

describe('the end of a turn', () => {
  it.each<{ why: string; config: MonitorConfig; evidence: Evidence[]; verdict: object }>([
    {
      why: 'the agent’s own end',
      config: CLAUDE,
      evidence: [end(9)],
      verdict: { outcome: 'completed', confidence: 'certain', decidedBy: 'agent_end', at: 9, error: null },
    },
    {
      why: 'the agent’s own failure',
      config: CLAUDE,
      evidence: [end(9, { error: turnError('agent_overloaded', 'Busy.') })],
      verdict: { outcome: 'failed', error: { class: 'overloaded' } },
    },
    {
      why: 'no marker where one is required',
      config: { ...CLAUDE, require: 'marker' },
      evidence: [end(9)],
      verdict: { outcome: 'failed', error: { code: 'marker_missing' } },
    },
    {
      why: 'a required marker',
      config: { ...CLAUDE, require: 'marker' },
      evidence: [end(9, { text: 'ok [SEMO:DONE]' })],
      verdict: { outcome: 'completed' },
    },
    {
      why: 'an agent that is gone',
      config: CLAUDE,
      evidence: [{ kind: 'exit', at: 3, code: 0, signal: null }],
      verdict: { outcome: 'crashed', decidedBy: 'exit' },
    },
    {
      why: 'a program that exits well',
      config: COMMAND,
      evidence: [{ kind: 'exit', at: 3, code: 0, signal: null }],
      verdict: { outcome: 'completed', decidedBy: 'exit' },
    },
    {
      why: 'a program that exits badly',
      config: COMMAND,
      evidence: [{ kind: 'exit', at: 3, code: 2, signal: null }],
      verdict: { outcome: 'failed', error: { code: 'agent_exit_failed' } },
    },
    {
      why: 'a program that is killed',
      config: COMMAND,
      evidence: [{ kind: 'exit', at: 3, code: null, signal: 'SIGKILL' }],
      verdict: { outcome: 'crashed' },
    },
    {
      why: 'the nonce',
      config: COMMAND,
      evidence: [{ kind: 'screen_marker', at: 3, offset: 7 }],
      verdict: { outcome: 'completed', confidence: 'certain', decidedBy: 'screen_marker' },
    },
    {
      why: 'silence after words',
      config: COMMAND,
      evidence: [
        { kind: 'activity', at: 3 },
        { kind: 'tick', at: 5003 },
      ],
      verdict: { outcome: 'completed', confidence: 'inferred', decidedBy: 'silence' },
    },
    {
      why: 'time',
      config: CLAUDE,
      evidence: [{ kind: 'tick', at: 60_000 }],
      verdict: { outcome: 'timed_out', decidedBy: 'timeout' },
    },
    {
      why: 'a cancel',
      config: CLAUDE,
      evidence: [{ kind: 'stopped', at: 3, by: 'cancel' }],
      verdict: { outcome: 'cancelled', error: { class: 'cancelled' } },
    },
    {
      why: 'our own time',
      config: CLAUDE,
      evidence: [{ kind: 'stopped', at: 3, by: 'timeout' }],
      verdict: { outcome: 'timed_out' },
    },
    {
      why: 'nobody to answer',
      config: CLAUDE,
      evidence: [{ kind: 'stopped', at: 3, by: 'needs_input' }],
      verdict: { outcome: 'needs_input', error: { class: 'permission' } },
    },
    {
      why: 'nothing left to see by',
      config: CLAUDE,
      evidence: [{ kind: 'lost', at: 3, error: turnError('host_lost', 'Gone.') }],
      verdict: { outcome: 'unknown', decidedBy: 'lost' },
    },
  ])('comes by $why', ({ config, evidence, verdict }) => {
    expect(after(config, ...evidence).turn).toMatchObject({ kind: 'ended', ...verdict });
  });

  it('does not come while background tasks run', () => {
    const paused = after(CLAUDE, end(5, { backgroundTasks: 2 }));
    expect(paused.turn.kind).toBe('running');
    expect(observe(paused, end(9, { text: 'All of it.' })).text).toBe('All of it.');
  });

  it('does not come by silence where a stronger source lives, or before the first word', () => {
    const quiet = after(CLAUDE, { kind: 'activity', at: 1 }, { kind: 'tick', at: 6000 });
    expect(quiet).toMatchObject({ turn: { kind: 'running' }, stalledSince: 1 });
    expect(after(COMMAND, { kind: 'tick', at: 6000 })).toMatchObject({ turn: { kind: 'running' }, stalledSince: 0 });
    expect(observe(quiet, { kind: 'activity', at: 6001 }).stalledSince).toBeNull();
  });
});

describe('waiting for a person', () => {
  const waiting = after(CLAUDE, { kind: 'waiting', at: 10, for: 'permission', requestId: 'r1' });

  it('does not use up the turn’s time', () => {
    expect(nextTickAt(waiting)).toBeNull();
    expect(observe(waiting, { kind: 'tick', at: 1e9 }).turn.kind).toBe('waiting');
    const resumed = observe(waiting, { kind: 'answered', at: 100_010, requestId: 'r1' });
    expect(resumed).toMatchObject({ turn: { kind: 'running' }, waitedMs: 100_000 });
    expect(observe(resumed, { kind: 'tick', at: 159_999 }).turn.kind).toBe('running');
    expect(observe(resumed, { kind: 'tick', at: 160_000 }).turn.kind).toBe('ended');
  });

  it('goes on only for its own answer, and ends with the turn', () => {
    expect(observe(waiting, { kind: 'answered', at: 11, requestId: 'other' }).turn.kind).toBe('waiting');
    expect(observe(waiting, end(12)).turn).toMatchObject({ outcome: 'completed' });
  });
});

it('collects milestones and progress', () => {
  const state = after(
    CLAUDE,
    { kind: 'milestone', at: 1, milestone: { kind: 'commit', hash: 'abc' } },
    { kind: 'progress', at: 2, percent: 50 },
  );
  expect(state).toMatchObject({ milestones: [{ kind: 'commit', hash: 'abc' }], percent: 50 });
});

it('wants to be woken when something depends on time', () => {
  expect(nextTickAt(beginTurn(CLAUDE, 100))).toBe(5100);
  expect(nextTickAt(after(CLAUDE, { kind: 'tick', at: 6000 }))).toBe(60_000);
  expect(nextTickAt(after(CLAUDE, end(5)))).toBeNull();
});

const anyEvidence: fc.Arbitrary<Evidence> = fc
  .integer({ min: 0, max: 90_000 })
  .chain((at) =>
    fc.constantFrom<Evidence>(
      { kind: 'accepted', at },
      { kind: 'activity', at },
      end(at),
      end(at, { backgroundTasks: 1 }),
      { kind: 'exit', at, code: 0, signal: null },
      { kind: 'screen_marker', at, offset: 0 },
      { kind: 'waiting', at, for: 'question', requestId: 'r' },
      { kind: 'answered', at, requestId: 'r' },
      { kind: 'stopped', at, by: 'cancel' },
      { kind: 'tick', at },
    ),
  );

it('never flips a verdict', () => {
  fc.assert(
    fc.property(fc.constantFrom(CLAUDE, COMMAND), fc.array(anyEvidence, { maxLength: 20 }), (config, evidence) => {
      const states = evidence.map((_, index) => after(config, ...evidence.slice(0, index + 1)));
      const verdicts = states.map(({ turn }) => turn).filter(({ kind }) => kind === 'ended');
      expect(new Set(verdicts.map((verdict) => JSON.stringify(verdict))).size).toBeLessThanOrEqual(1);
      const first = states.findIndex(({ turn }) => turn.kind === 'ended');
      expect(verdicts).toHaveLength(first === -1 ? 0 : states.length - first);
    }),
    { numRuns: 2000 },
  );
});
