import { join } from 'node:path';
import type { SessionSpec, TurnInfo } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import {
  failWith,
  hang,
  lastToolResults,
  say,
  useTool,
  type ModelRequest,
  type ModelScript,
  type ModelStep,
} from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { ClaudeHookListener } from '../../../../src/agent/claude/hooks/hook-listener.ts';
import { ClaudeProofs } from '../../../../src/agent/claude/guard/proofs.ts';
import { claudeDriver } from '../../../../src/agent/claude/terminal/terminal-driver.ts';
import type { TranscriptEnd } from '../../../../src/agent/claude/conversation/transcript.ts';
import { ClaudeWitness, restEvidence, type RestSource } from '../../../../src/agent/claude/terminal/witness.ts';
import { claudeStage } from '../claude-stage.ts';

const LOOK_MS = 500;
/** Looks in a row that make rest believed. */
const ENOUGH = 10;

/** A witness in a world of its own. */
function witness() {
  const clock = new FakeClock();
  const world = {
    seen: 'status_file' as RestSource | null,
    end: { kind: 'said', text: 'Done.' } as TranscriptEnd | null,
    told: [] as object[],
  };
  const watching = new ClaudeWitness({
    clock,
    restSource: () => Promise.resolve(world.seen),
    hasShownBusy: () => true,
    readEnd: () => Promise.resolve(world.end),
    onRest: (rest) => world.told.push(rest),
  });
  watching.begin('/transcript');
  const look = async (times: number) => {
    for (let left = times; left > 0; left -= 1) {
      const toldBefore = world.told.length;
      clock.advance(LOOK_MS);
      while (clock.pending === 0 && world.told.length === toldBefore) await new Promise(setImmediate);
    }
  };
  return { world, watching, clock, look };
}

describe('a witness of rest', () => {
  it('believes it only when it lasts, and tells once', async () => {
    const { world, clock, look } = witness();
    await look(ENOUGH - 1);
    world.seen = null;
    await look(1);
    world.seen = 'title';
    await look(ENOUGH - 1);
    expect(world.told).toEqual([]);
    await look(1);
    expect(world.told).toEqual([{ kind: 'at_rest', at: clock.now(), source: 'title', text: 'Done.' }]);
    expect(clock.pending).toBe(0);
  });

  it('waits for a turn that its transcript shows to be open', async () => {
    const { world, look } = witness();
    world.end = { kind: 'open' };
    await look(3 * ENOUGH);
    expect(world.told).toEqual([]);
    world.end = { kind: 'said', text: 'Now.' };
    await look(1);
    expect(world.told).toMatchObject([{ text: 'Now.' }]);
  });

  it('takes waiting for a person for no rest', async () => {
    const { world, watching, look } = witness();
    const answer = Promise.withResolvers<string>();
    const asking = watching.whileAsking(() => answer.promise);
    await look(2 * ENOUGH);
    answer.resolve('allowed');
    expect(await asking).toBe('allowed');
    await look(ENOUGH - 1);
    expect(world.told).toEqual([]);
    await look(1);
    expect(world.told).toHaveLength(1);
  });

  it('looks no more once the turn is over', async () => {
    const { world, watching, clock } = witness();
    clock.advance(LOOK_MS);
    watching.end();
    await new Promise(setImmediate);
    clock.advance(100 * LOOK_MS);
    expect(clock.pending).toBe(0);
    expect(world.told).toEqual([]);
  });
});

const error = { code: 'agent_failed' };

it.each<{ source: RestSource; hasShownBusy: boolean; end: TranscriptEnd | null; evidence: object | null }>([
  { source: 'status_file', hasShownBusy: true, end: { kind: 'said', text: 'A' }, evidence: { text: 'A' } },
  { source: 'title', hasShownBusy: false, end: { kind: 'said', text: 'A' }, evidence: { text: 'A' } },
  { source: 'status_file', hasShownBusy: true, end: { kind: 'interrupted' }, evidence: { error } },
  { source: 'status_file', hasShownBusy: true, end: { kind: 'unanswered' }, evidence: { error } },
  { source: 'status_file', hasShownBusy: false, end: { kind: 'unanswered' }, evidence: null },
  { source: 'title', hasShownBusy: true, end: { kind: 'unanswered' }, evidence: null },
  { source: 'status_file', hasShownBusy: true, end: { kind: 'open' }, evidence: null },
  { source: 'status_file', hasShownBusy: true, end: null, evidence: { text: '' } },
  { source: 'status_file', hasShownBusy: false, end: null, evidence: null },
  { source: 'title', hasShownBusy: true, end: null, evidence: null },
])('of $source, busy before: $hasShownBusy, with $end, rest says $evidence', ({ evidence, ...seen }) => {
  const expected = evidence === null ? null : { kind: 'at_rest', at: 5, source: seen.source, ...evidence };
  expect([restEvidence({ ...seen, at: 5 })]).toMatchObject([expected]);
});

describe('a turn of Claude Code whose hooks are lost midway', () => {
  /** The model's answers come only when the hooks are dead. */
  async function turnWithoutHooks(
    answers: (folder: string) => readonly ModelStep[],
    more: Partial<SessionSpec> = {},
  ): Promise<{ turn: TurnInfo; requests: readonly ModelRequest[] }> {
    const hooks = new ClaudeHookListener();
    const driver = claudeDriver({}, { hooks, proofs: new ClaudeProofs() });
    const dead = Promise.withResolvers<void>();
    let folder = '';
    let answered = 0;
    const script: ModelScript = async () => {
      await dead.promise;
      return answers(folder)[answered++]!;
    };
    await using stage = await claudeStage(script, { drivers: [driver], maxRetries: 0 });
    folder = stage.folder;
    const id = await stage.open(more);
    const { turnId } = await stage.sessions.sendPrompt(id, 'Work.');
    await hooks.close();
    dead.resolve();
    const turn = await stage.sessions.waitForTurn(id, turnId);
    return { turn, requests: stage.model.messages };
  }

  it('ends by its status, inferred, with the agent’s last words', async () => {
    const { turn } = await turnWithoutHooks(() => [say('All done.')]);
    expect(turn.state).toMatchObject({ outcome: 'completed', confidence: 'inferred', decidedBy: 'status_file' });
    expect(turn.text).toBe('All done.');
    expect(turn.evidence.map(({ kind }) => kind)).toEqual(['accepted', 'lost', 'at_rest']);
  });

  it('has failed where the API did', async () => {
    const { turn } = await turnWithoutHooks(() => [failWith(401, 'authentication_error')]);
    expect(turn.state).toMatchObject({
      outcome: 'failed',
      confidence: 'inferred',
      decidedBy: 'status_file',
      error: { code: 'sign_in_refused' },
    });
  });

  it('changes no file any more, not even one in scope', async () => {
    const persona = { name: 'Mina', role: 'FE', prompt: 'p', scopePatterns: ['src/**'] };
    const { turn, requests } = await turnWithoutHooks(
      (folder) => [useTool('Write', { file_path: join(folder, 'src', 'a.txt'), content: '' }), say('I could not.')],
      { persona },
    );
    expect(turn.text).toBe('I could not.');
    const [result] = lastToolResults(requests.at(-1)!);
    expect(result).toMatchObject({ isError: true, text: expect.stringContaining('blocking') as unknown });
  });
});

describe('a turn of Claude Code that no hook tells the end of', () => {
  it.each([
    { when: 'midway', answer: hang({ text: 'Let me think' }) },
    { when: 'before its first word', answer: hang() },
  ])('has failed when a person at the keyboard stopped it $when', async ({ answer }) => {
    await using stage = await claudeStage([answer, say('Here.')]);
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'Think.');
    await stage.model.waitForRequest((request) => request.isMessage && !request.isSideRequest);
    await stage.sessions.sendKeystrokes(id, ['Escape']);
    const turn = await stage.sessions.waitForTurn(id, turnId);
    expect(turn.state).toMatchObject({
      outcome: 'failed',
      confidence: 'inferred',
      decidedBy: 'status_file',
      error: { code: 'agent_failed' },
    });
    expect((await stage.ask(id, 'Are you there?')).text).toBe('Here.');
  });

  it('is told by its hook as ever where that works', async () => {
    await using stage = await claudeStage([failWith(529, 'overloaded_error')], { maxRetries: 0 });
    const id = await stage.open();
    expect((await stage.ask(id, 'Try.')).state).toMatchObject({ confidence: 'certain', decidedBy: 'agent_end' });
  });
});
