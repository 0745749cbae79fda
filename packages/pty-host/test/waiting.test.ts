import { newId, type TurnInfo } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { deadline } from '../src/deadline.ts';
import { LiveTurn } from '../src/live-turn.ts';
import { waitForTurn } from '../src/turn-wait.ts';
import { UndoList } from '../src/undo-list.ts';

describe('a deadline', () => {
  it('aborts when time is up', () => {
    const clock = new FakeClock();
    const limit = deadline(clock, 1000);
    clock.advance(999);
    expect(limit.signal.aborted).toBe(false);
    clock.advance(1);
    expect(limit.signal.aborted).toBe(true);
  });

  it('is taken back at the end of the block', () => {
    const clock = new FakeClock();
    {
      using limit = deadline(clock, 1000);
      expect([clock.pending, limit.signal.aborted]).toEqual([1, false]);
    }
    expect(clock.pending).toBe(0);
  });
});

describe('what has to be undone', () => {
  it('is undone in reverse, once, and wholly also when a step fails', async () => {
    const done: string[] = [];
    const list = new UndoList();
    list.add(async () => void done.push('first'));
    list.add(async () => {
      throw new Error('stuck');
    });
    list.add(async () => void done.push('last'));
    expect(await list.run()).toEqual([new Error('stuck')]);
    expect(await list.run()).toEqual([]);
    expect(done).toEqual(['last', 'first']);
  });
});

describe('waiting for a turn', () => {
  function runningTurn(clock: FakeClock): LiveTurn {
    const config = {
      sources: ['agent_end', 'exit'],
      exitMeans: 'crash',
      timeoutMs: 60_000,
      silenceMs: 30_000,
    } as const;
    return new LiveTurn({
      prompt: 'x',
      turnId: newId('turn'),
      sessionId: newId('ses'),
      outputStart: 0,
      clock,
      config,
      onChange: () => undefined,
    });
  }
  const end = (turn: LiveTurn, clock: FakeClock) =>
    turn.observe({ kind: 'agent_end', at: clock.now(), text: 'Done.', backgroundTasks: 0 });

  it('ends with it, and leaves no timer behind', async () => {
    const clock = new FakeClock();
    const turn = runningTurn(clock);
    const waiting: Promise<TurnInfo> = waitForTurn(turn, { clock, timeoutMs: 1000 });
    end(turn, clock);
    expect((await waiting).text).toBe('Done.');
    expect(await waitForTurn(turn, { clock, timeoutMs: 1000 })).toEqual(await waiting);
    expect(clock.pending).toBe(0);
  });

  it('is given up after its time or by its signal, and the turn goes on', async () => {
    const clock = new FakeClock();
    const turn = runningTurn(clock);
    const giveUp = new AbortController();
    const [byTime, bySignal] = [
      waitForTurn(turn, { clock, timeoutMs: 1000 }),
      waitForTurn(turn, { clock, signal: giveUp.signal }),
    ];
    giveUp.abort();
    await expect(bySignal).rejects.toMatchObject({ code: 'aborted' });
    clock.advance(1000);
    await expect(byTime).rejects.toMatchObject({ code: 'wait_timed_out' });
    await expect(waitForTurn(turn, { clock, signal: giveUp.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(turn.hasEnded).toBe(false);
  });
});
