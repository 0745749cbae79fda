import { expect, it } from 'vitest';

import type { TurnRecord, TurnStep } from '../src/session/session-record.ts';
import type { SessionStore } from '../src/session/session-store.ts';
import { HARD_TEXT, expectKept } from './hard-text.ts';
import { endedTurn, turnRecord } from './session-store-records.ts';

/** Opens a store, and gives it again through another object. */
export type Start = () => Promise<{ readonly store: SessionStore; readonly again: () => SessionStore }>;

/** The step before the first byte. */
export const SUBMITTED: TurnStep = { kind: 'submitted', at: 2000, conversationId: 'conv', outputStart: 7 };
/** The agent has it. */
export const ACCEPTED: TurnStep = { kind: 'accepted', at: 3000 };
/** The verdict. */
export const endedStep = (record: TurnRecord, at = 4000, text?: string): TurnStep => ({
  kind: 'ended',
  at,
  turn: endedTurn(record, text),
});

/** How far a turn has come. */
export function stepsContract(start: Start): void {
  it('takes a turn step by step to its end, and keeps each time', async () => {
    const { store, again } = await start();
    const record = turnRecord();
    const { sessionId, turnId } = record;
    await store.putTurn(record);
    expect(await store.advanceTurn(sessionId, turnId, SUBMITTED)).toBe(true);
    const submitted = { kind: 'submitted', intentAt: 1000, submittedAt: 2000 };
    const sent = { ...record, conversationId: 'conv', outputStart: 7 };
    expect(await again().getTurn(sessionId, turnId)).toEqual({ ...sent, delivery: submitted });
    expect(await again().advanceTurn(sessionId, turnId, ACCEPTED)).toBe(true);
    const accepted = { ...submitted, kind: 'accepted', acceptedAt: 3000 };
    expect(await store.getTurn(sessionId, turnId)).toEqual({ ...sent, delivery: accepted });
    const next: TurnStep = { ...endedStep(record), conversationId: 'next' };
    expect(await store.advanceTurn(sessionId, turnId, next)).toBe(true);
    const ended = { ...accepted, kind: 'ended', endedAt: 4000, turn: endedTurn(record) };
    expect(await again().getTurn(sessionId, turnId)).toEqual({ ...sent, conversationId: 'next', delivery: ended });
  });

  it('never takes a turn back, nor through the same step twice', async () => {
    const { store } = await start();
    const record = turnRecord();
    const { sessionId, turnId } = record;
    await store.putTurn(record);
    expect(await store.advanceTurn(sessionId, turnId, ACCEPTED)).toBe(true);
    expect(await store.advanceTurn(sessionId, turnId, SUBMITTED)).toBe(false);
    expect(await store.advanceTurn(sessionId, turnId, { ...ACCEPTED, at: 3500 })).toBe(false);
    const accepted = { kind: 'accepted', intentAt: 1000, submittedAt: null, acceptedAt: 3000 };
    expect(await store.getTurn(sessionId, turnId)).toEqual({ ...record, delivery: accepted });
    expect(await store.advanceTurn(sessionId, turnId, endedStep(record))).toBe(true);
    const kept = await store.getTurn(sessionId, turnId);
    for (const step of [SUBMITTED, ACCEPTED, endedStep(record, 9000, 'Otherwise.')])
      expect(await store.advanceTurn(sessionId, turnId, step)).toBe(false);
    expect(await store.getTurn(sessionId, turnId)).toEqual(kept);
  });

  it('keeps whatever agents say, if need be with marks in the place of characters', async () => {
    const { store, again } = await start();
    const record = turnRecord();
    const { sessionId, turnId } = record;
    await store.putTurn(record);
    const step = { kind: 'ended', at: 4000, turn: endedTurn(record, HARD_TEXT) } as const;
    expect(await store.advanceTurn(sessionId, turnId, step)).toBe(true);
    const kept = await again().getTurn(sessionId, turnId);
    expectKept(kept?.delivery.kind === 'ended' && kept.delivery.turn, step.turn);
  });

  it('takes no turn further that was never put', async () => {
    const { store } = await start();
    const record = turnRecord();
    expect(await store.advanceTurn(record.sessionId, record.turnId, endedStep(record))).toBe(false);
    expect(await store.listTurns()).toEqual([]);
  });
}

/** Who writes at the same time as others. */
export function raceContract(start: Start): void {
  it('lets one of many end a turn', async () => {
    const { store, again } = await start();
    const record = turnRecord();
    const { sessionId, turnId } = record;
    await store.putTurn(record);
    const steps = Array.from({ length: 8 }, (_value, index) => endedStep(record, 4000 + index, `verdict ${index}`));
    const won = await Promise.all(
      steps.map((step, index) => (index % 2 === 0 ? store : again()).advanceTurn(sessionId, turnId, step)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    const kept = await again().getTurn(sessionId, turnId);
    expect(kept?.delivery).toMatchObject({ kind: 'ended', endedAt: 4000 + won.indexOf(true) });
  });

  it('loses no step to another that is taken at the same time', async () => {
    const { store, again } = await start();
    const records = Array.from({ length: 10 }, (_value, index) => turnRecord({ intentAt: 1000 + index }));
    await Promise.all(
      records.map(async (record) => {
        await store.putTurn(record);
        const { sessionId, turnId } = record;
        const steps = [SUBMITTED, ACCEPTED, endedStep(record)];
        await Promise.all(steps.map((step) => again().advanceTurn(sessionId, turnId, step)));
      }),
    );
    const kept = await again().listTurns({ open: false });
    expect(kept.map(({ turnId }) => turnId)).toEqual(records.map(({ turnId }) => turnId));
  });
}
