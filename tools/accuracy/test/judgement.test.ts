import type { TurnInfo } from '@semo-office/core';
import { say } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { delayLine, delayOf } from '../src/delays.ts';
import { judge } from '../src/judgement.ts';
import { family, plainKind, type Kind } from '../src/kind.ts';
import { naiveWorths } from '../src/naive.ts';
import type { Observation } from '../src/observation.ts';
import { confusionTable, naiveTable } from '../src/tables.ts';
import { resultOf } from '../src/trial-result.ts';
import { fails } from '../src/truth.ts';

const [plain, failing] = family('test', [
  plainKind('plain', [say('One.'), say('Two.')]),
  { name: 'failing', script: () => [], truth: fails('overloaded') },
]) as [Kind, Kind];

function turnThat(state: Partial<TurnInfo['state']>, text = 'Two.'): TurnInfo {
  const ended = {
    kind: 'ended',
    outcome: 'completed',
    confidence: 'certain',
    decidedBy: 'agent_end',
    at: 0,
    error: null,
  };
  return {
    turnId: 'turn_1',
    sessionId: 'ses_1',
    state: { ...ended, ...state } as TurnInfo['state'],
    acceptedAt: 0,
    outputStart: 0,
    text,
    milestones: [],
    percent: null,
    evidence: [],
  };
}

function observed(more: Partial<Observation> = {}, kind: Kind = plain): Observation {
  return {
    trial: { kind, setting: { face: 'classic', cols: 80 } },
    turn: turnThat({}),
    heardAt: 250,
    answers: [{ lastByteAt: 100 }, { lastByteAt: 200 }],
    hooks: [{ at: 240, event: 'Stop', input: { background_tasks: [] } }],
    chunks: [],
    fault: null,
    ...more,
  };
}

const chunk = (at: number, text: string) => ({ at, offset: at, bytes: Buffer.from(text) });

describe('a judgement', () => {
  it('is right where outcome, class, text and milestones are', () => {
    expect(judge(observed())).toEqual({ kind: 'right' });
  });

  it('is a false completion where the model had not yet given its last answer', () => {
    expect(judge(observed({ heardAt: 150 }))).toMatchObject({ kind: 'false_completion' });
    expect(judge(observed({ answers: [{ lastByteAt: 100 }] }))).toMatchObject({ kind: 'false_completion' });
  });

  it('is a false completion where the turn really failed', () => {
    expect(judge(observed({}, failing))).toMatchObject({ kind: 'false_completion' });
  });

  it('is a miss where no verdict came', () => {
    expect(judge(observed({ turn: turnThat({ kind: 'running' }), heardAt: null }))).toMatchObject({ kind: 'miss' });
    expect(judge(observed({ turn: null, heardAt: null, fault: 'no' }))).toEqual({ kind: 'miss', why: 'no' });
  });

  it('is wrong where class, text or milestones are', () => {
    const error = { code: 'agent_rate_limited', class: 'rate_limit', message: '', retryable: true } as const;
    expect(judge(observed({ turn: turnThat({ outcome: 'failed', error }) }, failing))).toMatchObject({ kind: 'wrong' });
    expect(judge(observed({ turn: turnThat({}, 'One.') }))).toMatchObject({ kind: 'wrong' });
    const milestones = [{ kind: 'build_completed' as const }];
    expect(judge(observed({ turn: { ...turnThat({}), milestones } }))).toMatchObject({ kind: 'wrong' });
  });
});

describe('simple monitors', () => {
  it('are fooled by words, and miss an end without them', async () => {
    const early = await naiveWorths(observed({ chunks: [chunk(120, 'All tests '), chunk(130, 'passed')] }));
    expect(early).toMatchObject({ 'words in the raw bytes': 'false', 'words on the rendered screen': 'false' });
    const silent = await naiveWorths(observed({ chunks: [chunk(210, 'Two.')] }));
    expect(silent).toMatchObject({ 'words in the raw bytes': 'missed', 'the first Stop hook': 'right' });
    const spread = await naiveWorths(observed({ chunks: [chunk(210, 'All\u001B[5Gtests\u001B[11Gpassed')] }));
    expect(spread).toMatchObject({ 'words in the raw bytes': 'missed', 'words on the rendered screen': 'right' });
  });

  it('know nothing of turns over pipes', async () => {
    expect(await naiveWorths(observed({ trial: { kind: plain, setting: { face: 'stream', cols: null } } }))).toEqual(
      {},
    );
  });
});

describe('the report', () => {
  it('counts verdicts by what turns really were', async () => {
    const results = [await resultOf(observed(), '2'), await resultOf(observed({}, failing), '2')];
    expect(confusionTable(results)).toContain('| failed | 0 | 1 |');
    expect(naiveTable(results)).toContain('| the evidence of the driver | 1 | 0 |');
  });

  it('measures from the agent’s signal and from the model’s last byte', () => {
    expect(delayOf(observed())).toEqual({ face: 'classic', afterSignalMs: 10, afterLastByteMs: 50 });
    const result = chunk(245, '{"type":"result"}\n');
    const trial = { kind: plain, setting: { face: 'stream', cols: null } } as const;
    expect(delayOf(observed({ trial, chunks: [result] }))).toMatchObject({ afterSignalMs: 5 });
    expect(delayOf(observed({ turn: turnThat({ decidedBy: 'cancel' }) }))).toBeNull();
    expect(delayLine([1, 2, 3])).toBe('p50 2 ms, p95 3 ms, at most 3 ms (3 turns)');
    expect(delayLine([])).toBe('none');
  });
});
