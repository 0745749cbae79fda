import { describe, expect, it } from 'vitest';

import {
  beginTurn,
  nextTickAt,
  observe,
  turnError,
  type Evidence,
  type Milestone,
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
      why: 'the time of its session is over',
      config: CLAUDE,
      evidence: [{ kind: 'stopped', at: 3, by: 'session_timeout' }],
      verdict: { outcome: 'timed_out', decidedBy: 'timeout', error: { code: 'session_timed_out', class: 'timeout' } },
    },
    {
      why: 'its session has printed too much',
      config: CLAUDE,
      evidence: [{ kind: 'stopped', at: 3, by: 'output_limit' }],
      verdict: { outcome: 'failed', decidedBy: 'output_limit', error: { code: 'output_limit', class: 'capacity' } },
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

describe('milestones and trouble', () => {
  const commit = (hash: string): Evidence => ({ kind: 'milestone', at: 1, milestone: { kind: 'commit', hash } });
  const trouble = (text: string): Evidence => ({ kind: 'trouble', at: 1, class: 'permission', text, by: 'tool' });

  it('are kept once each and end nothing', () => {
    const state = after(CLAUDE, commit('1a2b3c4'), commit('1a2b3c4d5e'), trouble('x'), trouble('x'), trouble('y'));
    expect(state.turn.kind).toBe('running');
    expect(state.milestones).toHaveLength(1);
    expect(state.evidence.filter(({ kind }) => kind === 'trouble')).toHaveLength(2);
  });

  it.each<[Milestone, Milestone, boolean]>([
    [{ kind: 'pull_request', number: 1 }, { kind: 'pull_request', number: 1, url: 'https://a/1' }, true],
    [
      { kind: 'pull_request', number: 1, url: 'https://b/1' },
      { kind: 'pull_request', number: 1, url: 'https://a/1' },
      false,
    ],
    [{ kind: 'tests_passed', passed: 3 }, { kind: 'tests_passed' }, true],
    [{ kind: 'tests_passed', passed: 3 }, { kind: 'tests_passed', passed: 4 }, false],
    [{ kind: 'build_completed' }, { kind: 'build_completed', offset: 4 }, true],
    [{ kind: 'custom', name: 'a', text: 'x' }, { kind: 'custom', name: 'b', text: 'x' }, false],
    [{ kind: 'build_completed' }, { kind: 'tests_passed' }, false],
  ])('%j and %j are the same: %s', (one, other, same) => {
    const tell = (milestone: Milestone): Evidence => ({ kind: 'milestone', at: 1, milestone });
    expect(after(CLAUDE, tell(one), tell(other)).milestones).toHaveLength(same ? 1 : 2);
  });

  it('complete the turn where the caller says so', () => {
    const config: MonitorConfig = { ...CLAUDE, completeOn: ['pull_request', 'commit'] };
    expect(after(config, commit('1a2b3c4')).turn).toMatchObject({
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'milestone',
    });
    const build: Evidence = { kind: 'milestone', at: 1, milestone: { kind: 'build_completed' } };
    expect(after(config, build).turn.kind).toBe('running');
  });

  it('are not kept without end', () => {
    const many = Array.from({ length: 1500 }, (_, index) => [trouble(`${index}`), commit(`${1e6 + index}`)]).flat();
    const state = after(CLAUDE, ...many);
    expect(state.milestones).toHaveLength(1000);
    expect(state.evidence.filter(({ kind }) => kind === 'trouble')).toHaveLength(100);
  });
});

describe('an agent that is seen at rest', () => {
  const WITNESSED: MonitorConfig = { ...CLAUDE, sources: ['agent_end', 'exit', 'status_file', 'title'] };
  const accepted: Evidence = { kind: 'accepted', at: 1 };
  const lost: Evidence = { kind: 'lost', at: 8, source: 'agent_end', error: turnError('agent_failed', 'No hook.') };
  const rest = (more: Partial<Extract<Evidence, { kind: 'at_rest' }>> = {}): Evidence => ({
    kind: 'at_rest',
    at: 9,
    source: 'status_file',
    text: 'Done.',
    ...more,
  });
  const verdict = (config: MonitorConfig, ...evidence: Evidence[]) => after(config, ...evidence).turn;

  it('has done, by inference, once its own word is lost', () => {
    const state = after(WITNESSED, accepted, lost, rest());
    expect(state.turn).toMatchObject({ outcome: 'completed', confidence: 'inferred', decidedBy: 'status_file' });
    expect(state.text).toBe('Done.');
    expect(observe(state, end(12, { error: turnError('agent_failed', 'Late.') }))).toBe(state);
    expect(verdict(WITNESSED, accepted, lost, rest({ source: 'title' }))).toMatchObject({ decidedBy: 'title' });
  });

  it('has failed where that is what it last told, or without a marker that is required', () => {
    const error = turnError('agent_overloaded', 'Busy.');
    expect(verdict(WITNESSED, accepted, lost, rest({ error }))).toMatchObject({ outcome: 'failed', error });
    const marked: MonitorConfig = { ...WITNESSED, require: 'marker' };
    expect(verdict(marked, accepted, lost, rest())).toMatchObject({ error: { code: 'marker_missing' } });
    expect(verdict(marked, accepted, lost, rest({ text: '[SEMO:DONE]' }))).toMatchObject({ outcome: 'completed' });
  });

  it.each<[why: string, config: MonitorConfig, evidence: Evidence[]]>([
    ['its own word may still come', WITNESSED, [accepted, rest()]],
    ['it has not taken the prompt', WITNESSED, [lost, rest()]],
    ['it has no such source', CLAUDE, [accepted, lost, rest()]],
    [
      'a person is waited for',
      WITNESSED,
      [accepted, lost, { kind: 'waiting', at: 8, for: 'permission', requestId: 'r' }, rest()],
    ],
    ['a background task runs', WITNESSED, [accepted, end(5, { backgroundTasks: 1 }), lost, rest()]],
  ])('has not done where %s', (_, config, evidence) => {
    expect(verdict(config, ...evidence).kind).not.toBe('ended');
  });
});

describe('what may decide', () => {
  const mark = (code: number): Evidence => ({ kind: 'shell_mark', at: 4, code });
  const lost = (source?: 'agent_end' | 'exit' | 'screen_marker'): Evidence => ({
    kind: 'lost',
    at: 2,
    error: turnError('host_lost', 'Gone.'),
    ...(source === undefined ? {} : { source }),
  });
  const both: MonitorConfig = { ...CLAUDE, sources: ['agent_end', 'screen_marker'] };

  it('is a shell’s mark, by its status', () => {
    const shell: MonitorConfig = { ...COMMAND, sources: ['exit', 'shell_mark'] };
    expect(after(shell, mark(0)).turn).toMatchObject({ outcome: 'completed', decidedBy: 'shell_mark' });
    expect(after(shell, mark(3)).turn).toMatchObject({ outcome: 'failed', error: { code: 'agent_exit_failed' } });
    expect(after(COMMAND, mark(0)).turn.kind).toBe('running');
  });

  it('is a weaker source only when the stronger is lost', () => {
    const marker: Evidence = { kind: 'screen_marker', at: 3, offset: 0 };
    expect(after(both, marker).turn.kind).toBe('running');
    expect(after(both, lost('agent_end'), marker).turn).toMatchObject({ decidedBy: 'screen_marker' });
    expect(after(both, lost('agent_end'), end(3)).turn.kind).toBe('running');
  });

  it('is nothing when all are lost', () => {
    expect(after(both, lost('agent_end'), lost('screen_marker')).turn).toMatchObject({ outcome: 'unknown' });
    expect(after(both, lost()).turn).toMatchObject({ outcome: 'unknown', decidedBy: 'lost' });
  });

  it('is the agent’s end with background tasks where that is enough', () => {
    const config: MonitorConfig = { ...CLAUDE, endWithBackgroundTasks: true };
    expect(after(config, end(5, { backgroundTasks: 2 })).turn).toMatchObject({ outcome: 'completed' });
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
