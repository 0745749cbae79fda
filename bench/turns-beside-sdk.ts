import { agentEnvironment, claudeBinary, createGitRepository, say, startModelServer } from '@semo-office/testbed';

import { benchSessions, type BenchSessions } from './bench-sessions.ts';
import { figures } from './figures.ts';
import type { Measurement, Report, Row, Target } from './measurement.ts';
import { AGENT_SDK_VERSION, loadAgentSdk } from './turns/agent-sdk.ts';
import { interleaved, medianInterval, type Pair } from './turns/paired-figures.ts';
import { sdkTurns, type SdkTurnsOptions } from './turns/sdk-turns.ts';
import { sessionStart, sessionTurns } from './turns/session-turns.ts';
import { onlyIn, type ProgramStart } from './turns/start-difference.ts';
import type { TurnSide } from './turns/turn-side.ts';

const PAIRS = { full: 200, tiny: 1 };
/** A warm turn is short beside its scatter, so more are taken of them. */
const WARM_PAIRS_FOR_A_COLD_ONE = 5;
/** After so many turns both sides start anew: a conversation's length is not what is measured. */
const WARM_TURNS = 50;
const AT_MOST = { ratio: 1.05, differenceMs: 2 };

/** A turn through `claude-stream` beside the same turn through the agent SDK. */
export const turnsBesideSdk: Measurement = {
  title: `Claude Code: a turn through claude-stream beside one through @anthropic-ai/claude-agent-sdk ${AGENT_SDK_VERSION}`,
  byNameOnly: true,
  async run(scale, { pairs = PAIRS[scale] } = {}) {
    const sdk = await loadAgentSdk();
    await using model = await startModelServer({ script: () => say('Done.') });
    await using repository = await createGitRepository();
    const folder = repository.path;
    await using host = await benchSessions({ ...agentEnvironment(model), SEMO_CLAUDE_BIN: claudeBinary() });
    const setup = { sdk, model, folder };
    await tellDifference(host, setup);
    const ours = sessionTurns(host, folder);
    const theirs = sdkTurns(setup);
    // Once each for what only a first time costs: files into the cache, our question for the CLI's version.
    await interleaved(1, { ours: () => ours.coldTurn(), theirs: () => theirs.coldTurn() });
    const cold = await interleaved(pairs, { ours: () => ours.coldTurn(), theirs: () => theirs.coldTurn() });
    const warm = await warmPairs(pairs * WARM_PAIRS_FOR_A_COLD_ONE, ours, theirs);
    return joined([compared('cold', cold), compared('warm', warm)]);
  },
};

async function warmPairs(pairs: number, ours: TurnSide, theirs: TurnSide): Promise<Pair[]> {
  const taken: Pair[] = [];
  while (taken.length < pairs) {
    await using our = await ours.open();
    await using their = await theirs.open();
    const count = Math.min(WARM_TURNS, pairs - taken.length);
    taken.push(...(await interleaved(count, { ours: () => our.turn(), theirs: () => their.turn() })));
  }
  return taken;
}

async function tellDifference(host: BenchSessions, setup: SdkTurnsOptions): Promise<void> {
  const ours = await sessionStart(host, setup.folder);
  const started = Promise.withResolvers<ProgramStart>();
  await sdkTurns({ ...setup, onStart: started.resolve }).coldTurn();
  const theirs = await started.promise;
  console.log(`\nonly ours has: ${onlyIn(ours, theirs)}\nonly the SDK has: ${onlyIn(theirs, ours)}`);
}

function compared(kind: string, pairs: readonly Pair[]): Report {
  const row = (what: string, unit: string, values: readonly number[]): Row => ({
    what: `${kind}, ${what}`,
    unit,
    figures: figures(values),
  });
  const ratios = pairs.map(({ ours, theirs }) => ours / theirs);
  const differences = pairs.map(({ ours, theirs }) => ours - theirs);
  const ratio = medianInterval(ratios);
  const difference = medianInterval(differences);
  const interval = (what: string, unit: string, { median, low, high }: typeof ratio): Row => ({
    what: `${kind}, ${what} (least and most: the median's 95 % interval)`,
    unit,
    figures: { median, min: low, max: high, rounds: pairs.length },
  });
  return {
    rows: [
      row(
        'through claude-stream',
        'ms',
        pairs.map(({ ours }) => ours),
      ),
      row(
        'through the agent SDK',
        'ms',
        pairs.map(({ theirs }) => theirs),
      ),
      interval('ours / SDK', '', ratio),
      interval('ours - SDK', 'ms', difference),
    ],
    targets: [target(kind, ratio.high, difference.high)],
  };
}

/** One of the two is promised: told is the one that is kept, else the ratio. */
function target(kind: string, ratio: number, difference: number): Target {
  const what = `${kind}, upper bound of`;
  if (ratio > AT_MOST.ratio && difference <= AT_MOST.differenceMs) {
    return {
      what: `${what} the difference`,
      unit: 'ms',
      value: difference,
      promised: { atMost: AT_MOST.differenceMs },
    };
  }
  return { what: `${what} the ratio`, unit: 'of the SDK', value: ratio, promised: { atMost: AT_MOST.ratio } };
}

function joined(reports: readonly Report[]): Report {
  return {
    rows: reports.flatMap(({ rows }) => rows),
    targets: reports.flatMap(({ targets }) => targets),
  };
}
