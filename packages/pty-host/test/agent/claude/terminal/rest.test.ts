import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeClock } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import type { AgentIo } from '../../../../src/agent/agent-driver.ts';
import { ClaudeRest } from '../../../../src/agent/claude/terminal/rest.ts';

const LOOK_MS = 30;
const ESCAPE = '\x1b';

/** What the agent shows, which the test says, and what is pressed. */
async function watched() {
  const folder = await temporaryFolder('semo-status-');
  const clock = new FakeClock();
  const start = clock.now();
  const presses: number[] = [];
  const io = {
    pid: 7,
    clock,
    write(bytes: Uint8Array | string) {
      if (bytes === ESCAPE) presses.push(clock.now() - start);
      return Promise.resolve();
    },
  } as unknown as AgentIo;
  const rest = new ClaudeRest({ io, statusFolder: folder.path, isQuiet: () => true });
  const shows = {
    title: (sign: string) => rest.onOutput(Buffer.from(`\x1b]0;${sign} Claude Code\x07`)),
    status: (status: string) => writeFile(join(folder.path, '7.json'), JSON.stringify({ status })),
  };
  /** Lets time pass, look by look, until the work is done; gives how long that took. */
  const within = async (work: Promise<unknown>, limitMs: number): Promise<number | 'not yet'> => {
    const state = { done: false };
    void work.then(() => (state.done = true));
    const from = clock.now();
    for (;;) {
      while (!state.done && clock.pending === 0) await new Promise(setImmediate);
      if (state.done) return clock.now() - from;
      if (clock.now() - from >= limitMs) return 'not yet';
      clock.advance(LOOK_MS);
    }
  };
  const never = new AbortController().signal;
  return { rest, clock, presses, shows, within, never, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('rest after an interrupt', () => {
  it('is reached at once by a turn that has been at work for long', async () => {
    await using stage = await watched();
    await stage.shows.status('busy');
    stage.shows.title('◐');
    stage.rest.turnBegan();
    stage.shows.title('◑');
    stage.clock.advance(5000);
    const reached = stage.rest.reach(stage.never);
    stage.shows.title('✳');
    await stage.shows.status('idle');
    expect(await stage.within(reached, 1000)).toBeLessThanOrEqual(120);
    expect(stage.presses).toEqual([5000]);
  });

  it('is not believed while the title shows work, and Escape is pressed again', async () => {
    await using stage = await watched();
    await stage.shows.status('idle');
    stage.rest.turnBegan();
    stage.shows.title('◐');
    const reached = stage.rest.reach(stage.never);
    expect(await stage.within(reached, 1400)).toBe('not yet');
    expect(stage.presses).toEqual([0]);
    expect(await stage.within(reached, 200)).toBe('not yet');
    expect(stage.presses).toHaveLength(2);
    stage.shows.title('✳');
    expect(await stage.within(reached, 1000)).toBeLessThanOrEqual(120);
  });

  it('is believed against a title that somebody else has set, after a while', async () => {
    await using stage = await watched();
    await stage.shows.status('idle');
    stage.rest.turnBegan();
    stage.shows.title('building');
    const took = await stage.within(stage.rest.reach(stage.never), 5000);
    expect(took).toBeGreaterThanOrEqual(2000);
    expect(took).toBeLessThanOrEqual(2200);
  });

  it('is not believed of a turn so young that the agent may be deaf', async () => {
    await using stage = await watched();
    await stage.shows.status('idle');
    stage.shows.title('✳');
    stage.rest.turnBegan();
    stage.shows.title('◐');
    stage.shows.title('✳');
    const reached = stage.rest.reach(stage.never);
    expect(await stage.within(reached, 300)).toBe('not yet');
    // It was deaf, and is at work now.
    await stage.shows.status('busy');
    stage.shows.title('◐');
    expect(await stage.within(reached, 1500)).toBe('not yet');
    expect(stage.presses).toHaveLength(2);
  });

  it('is waited for before the next prompt, should the interrupted turn go on', async () => {
    await using stage = await watched();
    await stage.shows.status('idle');
    stage.rest.turnBegan();
    stage.shows.title('◐');
    stage.shows.title('✳');
    await stage.within(stage.rest.reach(stage.never), 1000);
    expect(await stage.within(stage.rest.interruptedRests(stage.never), 100)).toBe(0);
    stage.shows.title('◐');
    const rested = stage.rest.interruptedRests(stage.never);
    expect(await stage.within(rested, 1600)).toBe('not yet');
    expect(stage.presses).toHaveLength(2);
    stage.shows.title('✳');
    expect(await stage.within(rested, 1000)).toBeLessThanOrEqual(120);
  });
});
