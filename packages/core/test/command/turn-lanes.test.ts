import { describe, expect, it } from 'vitest';

import { CommandMemory } from '../../src/command/command-memory.ts';
import { TurnLanes } from '../../src/command/turn-lanes.ts';
import type { CommandResult } from '../../src/index.ts';

describe('TurnLanes', () => {
  it('keeps the order of one session and leaves the others alone', async () => {
    const lanes = new TurnLanes();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = lanes.enter('a', async () => {
      order.push('a1 begins');
      await gate.promise;
      order.push('a1 ends');
    });
    const second = lanes.enter('a', async () => void order.push('a2'));
    await lanes.enter('b', async () => void order.push('b1'));
    expect(order).toEqual(['a1 begins', 'b1']);
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['a1 begins', 'b1', 'a1 ends', 'a2']);
    expect(lanes.size).toBe(0);
  });

  it('goes on after work that fails, and forgets the session', async () => {
    const lanes = new TurnLanes();
    const failing = lanes.enter('a', () => Promise.reject(new Error('bug')));
    await expect(failing).rejects.toThrow('bug');
    expect(await lanes.enter('a', async () => 7)).toBe(7);
    expect(lanes.size).toBe(0);
  });
});

describe('CommandMemory', () => {
  const result = (n: number): CommandResult => ({ success: true, result: n });

  it('does once what arrives twice, while it runs and after', async () => {
    const memory = new CommandMemory(10);
    let runs = 0;
    const run = async (): Promise<CommandResult> => result((runs += 1));
    const both = await Promise.all([memory.once('c', { keep: true, run }), memory.once('c', { keep: true, run })]);
    expect([...both, await memory.once('c', { keep: true, run })]).toEqual([result(1), result(1), result(1)]);
    expect(runs).toBe(1);
  });

  it('forgets the oldest beyond its bound, and reads at once', async () => {
    const memory = new CommandMemory(2);
    let runs = 0;
    const run = async (): Promise<CommandResult> => result((runs += 1));
    for (const id of ['a', 'b', 'c']) await memory.once(id, { keep: true, run });
    await memory.once('read', { keep: false, run });
    expect(memory.size).toBe(2);
    expect(await memory.once('c', { keep: true, run })).toEqual(result(3));
    expect(await memory.once('a', { keep: true, run })).toEqual(result(5));
  });
});
