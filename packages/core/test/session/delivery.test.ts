import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

import {
  DELIVERY_TABLE,
  advancedTurn,
  settleDelivery,
  settledTurn,
  turnError,
  turnInfoSchema,
  type OpenDelivery,
  type TranscriptFinding,
  type TurnRecord,
} from '../../src/index.ts';
import { endedTurn, turnRecord } from '../../testing/session-store-records.ts';
import { CRASH_POINTS } from './crash-points.ts';
import { crashRows, verdictRows } from './delivery-page.ts';

const RECORDED = ['intent', 'submitted', 'accepted'] as const satisfies readonly OpenDelivery[];
const FOUND = ['unreadable', 'absent', 'unfinished', 'finished', 'failed'] as const;

/** What really came of a prompt, whoever was killed when. */
interface World {
  /** The last that the host did. */
  readonly host: 'intent' | 'submitted' | 'typed' | 'accepted';
  /** How far the agent came with it. */
  readonly agent: 'nothing' | 'took it' | 'acted' | 'ended well' | 'ended by an error';
  /** Whether the agent had written down as far as it came. */
  readonly written: boolean;
  /** Whether there is a transcript to be read. */
  readonly readable: boolean;
  /** Whether a power cut took what was written last. */
  readonly lost: boolean;
}

const HOST: readonly World['host'][] = ['intent', 'submitted', 'typed', 'accepted'];
const AGENT: readonly World['agent'][] = ['nothing', 'took it', 'acted', 'ended well', 'ended by an error'];

function worlds(): World[] {
  const both = [true, false];
  const all = HOST.flatMap((host) =>
    AGENT.flatMap((agent) =>
      both.flatMap((written) =>
        both.flatMap((readable) => both.map((lost) => ({ host, agent, written, readable, lost }))),
      ),
    ),
  );
  return all.filter(isPossible);
}

function isPossible({ host, agent, written }: World): boolean {
  const hasPrompt = agent !== 'nothing';
  // No agent has what was not typed, and none is said to have taken what it has not.
  if (hasPrompt && (host === 'intent' || host === 'submitted')) return false;
  if (!hasPrompt && (host === 'accepted' || written)) return false;
  // An agent writes down what it does as it acts. One that is killed before it could was killed together with its host,
  // which by then had long heard that the prompt was taken.
  return written || agent === 'nothing' || agent === 'took it' || host === 'accepted';
}

/** All that can be left of it on the disk. */
function remains({
  host,
  agent,
  written,
  readable,
  lost,
}: World): { recorded: OpenDelivery; found: TranscriptFinding['kind'] }[] {
  const kept: OpenDelivery = host === 'typed' ? 'submitted' : host;
  const recorded = lost ? RECORDED.slice(0, RECORDED.indexOf(kept) + 1) : [kept];
  const last = foundOf(agent, written);
  const found: TranscriptFinding['kind'][] = lost && last !== 'absent' ? ['absent', 'unfinished', last] : [last];
  return recorded.flatMap((one) =>
    (readable ? found : (['unreadable'] as const)).map((each) => ({ recorded: one, found: each })),
  );
}

function foundOf(agent: World['agent'], written: boolean): TranscriptFinding['kind'] {
  if (!written || agent === 'nothing') return 'absent';
  if (agent === 'ended well') return 'finished';
  return agent === 'ended by an error' ? 'failed' : 'unfinished';
}

describe('what is decided of a prompt whose host was killed', () => {
  const cases = worlds().flatMap((world) => remains(world).map((left) => ({ world, ...left })));

  it('is thought through for every crash', () => {
    expect(worlds().length).toBeGreaterThan(30);
    const seen = new Set(cases.map(({ recorded, found }) => `${recorded}/${found}`));
    for (const found of FOUND.slice(0, 2)) expect(seen).toContain(`intent/${found}`);
    for (const recorded of ['submitted', 'accepted'])
      for (const found of FOUND) expect(seen).toContain(`${recorded}/${found}`);
  });

  it.each(cases)('never sends again what was acted on: $world, $recorded, $found', ({ world, recorded, found }) => {
    const verdict = settleDelivery({ recorded, transcript: found, afterReboot: world.lost });
    const hasActed = world.agent !== 'nothing' && world.agent !== 'took it';
    const wrong = {
      sentAgain: hasActed && verdict.next === 'send_again',
      completed: verdict.outcome === 'completed' && world.agent !== 'ended well',
      resumed: verdict.next === 'resume' && found !== 'unfinished',
      blamed: verdict.code === 'told' && world.agent !== 'ended by an error',
    };
    expect(wrong).toEqual({ sentAgain: false, completed: false, resumed: false, blamed: false });
  });

  it('is decided wherever it can be', () => {
    const undecided = RECORDED.flatMap((recorded) =>
      FOUND.filter((transcript) => settleDelivery({ recorded, transcript }).next === 'ask').map((found) => [
        recorded,
        found,
      ]),
    );
    expect(undecided).toEqual([
      ['submitted', 'unreadable'],
      ['accepted', 'unreadable'],
      ['accepted', 'absent'],
    ]);
    for (const recorded of RECORDED)
      expect(settleDelivery({ recorded, transcript: 'absent', afterReboot: true }).next).toBe('ask');
  });
});

describe('the page on delivery', () => {
  const page = readFile(new URL('../../../../docs/delivery.md', import.meta.url), 'utf8');
  const spaceless = (text: string) => text.replaceAll(/ +/g, ' ');

  it('shows what is decided for each pair, and nothing else', async () => {
    expect(tableAfter(spaceless(await page), '| Written |')).toEqual(verdictRows());
  });

  it('shows what comes of each crash, and nothing else', async () => {
    expect(tableAfter(spaceless(await page), '| Killed |')).toEqual(crashRows());
  });

  it('has a row for every pair that a crash can leave', () => {
    const pairs = new Set(
      CRASH_POINTS.flatMap((one) => ('found' in one ? [] : one.transcripts.map((each) => `${one.recorded}/${each}`))),
    );
    for (const recorded of ['submitted', 'accepted'] as const)
      for (const found of Object.keys(DELIVERY_TABLE[recorded])) expect(pairs).toContain(`${recorded}/${found}`);
  });
});

function tableAfter(page: string, head: string): string[] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(head));
  const rest = lines.slice(start + 2);
  return rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('|')),
  );
}

describe('a settled turn', () => {
  const accepted: TurnRecord = {
    ...turnRecord(),
    delivery: { kind: 'accepted', intentAt: 1000, submittedAt: 2000, acceptedAt: 3000 },
  };
  const settle = (record: TurnRecord, finding: TranscriptFinding) =>
    settledTurn(record, { finding, at: 9000, afterReboot: false });

  it('has the words and the error that the agent ended with', () => {
    const finished = settle(accepted, { kind: 'finished', text: 'Done.' });
    expect(finished).toMatchObject({ text: 'Done.', acceptedAt: 3000 });
    expect(finished.state).toEqual({
      kind: 'ended',
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'agent_end',
      at: 9000,
      error: null,
    });
    const error = turnError('agent_overloaded', 'Busy.');
    const failed = settle(accepted, { kind: 'failed', text: 'Busy.', error });
    expect(failed.state).toMatchObject({ outcome: 'failed', decidedBy: 'agent_end', error });
    for (const turn of [finished, failed]) expect(turnInfoSchema.parse(turn)).toEqual(turn);
  });

  it('keeps to the marker that was asked for', () => {
    const record: TurnRecord = { ...accepted, require: 'marker' };
    const without = settle(record, { kind: 'finished', text: 'Done.' });
    expect(without.state).toMatchObject({ outcome: 'failed', error: { code: 'marker_missing' } });
    const withIt = settle(record, { kind: 'finished', text: 'Done. [SEMO:DONE]' });
    expect(withIt.state).toMatchObject({ outcome: 'completed', error: null });
  });

  const SILENT = ['unreadable', 'absent', 'unfinished'] as const;

  it.each(RECORDED.flatMap((recorded) => SILENT.map((kind) => ({ recorded, kind }))))(
    'says by whom it was decided: $recorded, $kind',
    ({ recorded, kind }) => {
      const delivery = { kind: recorded, intentAt: 1000, submittedAt: 2000, acceptedAt: 3000 };
      const turn = settle({ ...accepted, delivery }, { kind });
      const { outcome, code } = settleDelivery({ recorded, transcript: kind });
      expect(turn.state).toMatchObject({ outcome, decidedBy: 'lost', error: { code } });
      expect(turn.evidence.at(-1)).toMatchObject({ kind: 'lost', at: 9000 });
      expect(turnInfoSchema.parse(turn)).toEqual(turn);
    },
  );

  it('stays as it ended', () => {
    const turn = endedTurn(accepted);
    const ended = advancedTurn(accepted, { kind: 'ended', at: 4000, turn })!;
    expect(settle(ended, { kind: 'absent' })).toEqual(turn);
  });
});
