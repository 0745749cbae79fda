import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import {
  DECIDERS,
  beginTurn,
  observe,
  turnError,
  type Decider,
  type Evidence,
  type MonitorConfig,
  type MonitorState,
} from '../../src/index.ts';

/** The properties hold for this many interleavings. */
const INTERLEAVINGS = 10_000;
const TELL_EVERY_END: readonly Decider[] = ['agent_end', 'shell_mark'];

const sources = fc.subarray<(typeof DECIDERS)[number]>([...DECIDERS], { minLength: 1 });

const anyConfig: fc.Arbitrary<MonitorConfig> = fc.record({
  sources,
  exitMeans: fc.constantFrom('crash', 'status'),
  timeoutMs: fc.constantFrom(50, 100_000),
  silenceMs: fc.constantFrom(5, 50),
  require: fc.constantFrom(undefined, 'marker'),
  completeOn: fc.constantFrom([], ['commit']),
  endWithBackgroundTasks: fc.boolean(),
});

type Untimed = Evidence extends infer One ? (One extends Evidence ? Omit<One, 'at'> : never) : never;

const error = turnError('host_lost', 'Gone.');
const anyEvidence: fc.Arbitrary<Untimed> = fc.oneof(
  fc.constantFrom<Untimed>(
    { kind: 'accepted' },
    { kind: 'activity' },
    { kind: 'tick' },
    { kind: 'trouble', class: 'permission', text: 'Permission denied', by: 'tool' },
    { kind: 'self_started', reason: 'task_notification' },
    { kind: 'progress', percent: 50 },
    { kind: 'retrying', attempt: 1, delayMs: 500, status: 529 },
    { kind: 'milestone', milestone: { kind: 'commit', hash: '1a2b3c4' } },
    { kind: 'milestone', milestone: { kind: 'build_completed' } },
    { kind: 'waiting', for: 'question', requestId: 'r' },
    { kind: 'answered', requestId: 'r' },
    { kind: 'screen_marker', offset: 0 },
    { kind: 'lost', error },
    { kind: 'at_rest', source: 'status_file', text: 'Done.' },
    { kind: 'at_rest', source: 'title', text: '', error },
  ),
  fc.record({ kind: fc.constant('lost' as const), error: fc.constant(error), source: fc.constantFrom(...DECIDERS) }),
  fc.record({
    kind: fc.constant('agent_end' as const),
    text: fc.constantFrom('Done.', 'Done. [SEMO:DONE]'),
    backgroundTasks: fc.constantFrom(0, 1),
  }),
  fc.record({ kind: fc.constant('shell_mark' as const), code: fc.constantFrom(0, 1) }),
  fc.record({
    kind: fc.constant('stopped' as const),
    by: fc.constantFrom('cancel' as const, 'timeout' as const, 'needs_input' as const, 'output_limit' as const),
  }),
  fc.constantFrom<Untimed>(
    { kind: 'exit', code: 0, signal: null },
    { kind: 'exit', code: 2, signal: null },
    { kind: 'exit', code: null, signal: 'SIGKILL' },
  ),
);

/** Evidence as it comes: each a while after the one before. */
const interleaving: fc.Arbitrary<Evidence[]> = fc
  .array(fc.tuple(anyEvidence, fc.integer({ min: 0, max: 12 })), { maxLength: 25 })
  .map((pieces) => {
    let at = 0;
    return pieces.map(([evidence, later]): Evidence => {
      at += later;
      return { ...evidence, at };
    });
  });

/** The states that a turn goes through, from its beginning. */
function statesOf(config: MonitorConfig, evidence: readonly Evidence[]): MonitorState[] {
  const states = [beginTurn(config, 0)];
  for (const one of evidence) states.push(observe(states.at(-1)!, one));
  return states;
}

function check(judge: (config: MonitorConfig, evidence: Evidence[], states: MonitorState[]) => void): void {
  fc.assert(
    fc.property(anyConfig, interleaving, (config, evidence) => {
      judge(config, evidence, statesOf(config, evidence));
    }),
    { numRuns: INTERLEAVINGS },
  );
}

it('never flips a verdict, and ends a turn exactly once', () => {
  check((_, __, states) => {
    const ends = states.filter(({ turn }, index) => turn.kind === 'ended' && states[index - 1]?.turn.kind !== 'ended');
    expect(ends.length).toBeLessThanOrEqual(1);
    const after = ends[0] === undefined ? [] : states.slice(states.indexOf(ends[0]));
    expect(after.every((state) => state === ends[0])).toBe(true);
  });
});

it('never lets weak evidence override strong', () => {
  check((config, _, states) => {
    const ended = states.find(({ turn }) => turn.kind === 'ended');
    if (ended?.turn.kind !== 'ended') return;
    const { decidedBy, confidence } = ended.turn;
    const inferred: readonly Decider[] = ['status_file', 'title', 'silence'];
    expect(confidence).toBe(inferred.includes(decidedBy) ? 'inferred' : 'certain');
    expect(decidedBy !== 'milestone' || config.completeOn?.includes('commit')).toBe(true);
    const strength: readonly Decider[] = DECIDERS;
    if (!strength.includes(decidedBy) || decidedBy === 'exit') return;
    expect(ended.alive).toContain(decidedBy);
    const stronger = ended.alive.filter((other) => strength.indexOf(other) < strength.indexOf(decidedBy));
    expect(stronger.filter((other) => TELL_EVERY_END.includes(other))).toEqual([]);
  });
});

it('is unknown when, and only when, no source is left', () => {
  check((config, evidence, states) => {
    const ended = states.find(({ turn }) => turn.kind === 'ended');
    const unknown = ended?.turn.kind === 'ended' && ended.turn.outcome === 'unknown';
    expect(unknown).toBe(ended?.alive.length === 0);
    for (const state of states) expect(state.turn.kind === 'ended' || state.alive.length > 0).toBe(true);
    const seen = evidence.slice(0, ended === undefined ? undefined : states.indexOf(ended));
    const lost = seen.flatMap((one) => (one.kind === 'lost' ? [one.source ?? config.sources] : [])).flat();
    expect(unknown).toBe(config.sources.every((source) => lost.includes(source)));
  });
});

it('ends every turn whose time is up, unless a person is waited for', () => {
  check((config, evidence, states) => {
    const last = states.at(-1)!;
    const at = (evidence.at(-1)?.at ?? 0) + config.timeoutMs + last.waitedMs;
    const { turn } = observe(last, { kind: 'tick', at });
    expect(turn.kind).toBe(last.turn.kind === 'waiting' ? 'waiting' : 'ended');
  });
});

it('takes an agent for done that rests only after it took the prompt, and while nobody is waited for', () => {
  check((_, __, states) => {
    const index = states.findIndex(({ turn }) => turn.kind === 'ended');
    const [before, ended] = [states[index - 1], states[index]];
    if (ended?.turn.kind !== 'ended' || before === undefined) return;
    if (ended.turn.decidedBy !== 'status_file' && ended.turn.decidedBy !== 'title') return;
    expect(before.turn.kind).toBe('running');
    expect(before.evidence.some(({ kind }) => kind === 'accepted')).toBe(true);
    expect(before.evidence.some((one) => one.kind === 'agent_end' && one.backgroundTasks > 0)).toBe(false);
  });
});
