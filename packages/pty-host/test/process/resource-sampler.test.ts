import { newId, type SessionEvents } from '@semo-office/core';
import { FakeClock, expectError } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../src/index.ts';
import { ResourceSampler } from '../../src/process/resource-sampler.ts';

function scene(everyMs = 5000) {
  const clock = new FakeClock();
  const told: SessionEvents['resources'][] = [];
  const heard = { by: true, news: Promise.withResolvers<void>() };
  let living = [{ sessionId: 'ses_a', pids: [process.pid] }];
  const sampler = new ResourceSampler({
    clock,
    everyMs,
    sessions: () => living,
    isHeard: () => heard.by,
    tell: (event) => {
      told.push(event);
      heard.news.resolve();
    },
  });
  return { clock, told, heard, sampler, end: () => void (living = []) };
}

describe('the resources of sessions', () => {
  it('are told at the interval', async () => {
    const { clock, told, heard, sampler } = scene();
    sampler.wake();
    sampler.wake();
    clock.advance(4999);
    expect(told).toEqual([]);
    clock.advance(1);
    await heard.news.promise;
    expect(told).toMatchObject([{ sessionId: 'ses_a', processes: 1, at: clock.now() }]);
    expect(told[0]!.pssBytes).toBeGreaterThan(1_000_000);
    expect(told[0]!.cpuMs).toBeGreaterThan(0);
    await expect.poll(() => clock.pending).toBe(1);
    sampler.close();
    expect(clock.pending).toBe(0);
  });

  it('are not looked at while nobody listens, nor is there a timer without a session or a wish', async () => {
    const { clock, told, heard, sampler, end } = scene();
    heard.by = false;
    sampler.wake();
    clock.advance(5000);
    await expect.poll(() => clock.pending).toBe(1);
    end();
    clock.advance(5000);
    await expect.poll(() => clock.pending).toBe(0);
    expect(told).toEqual([]);
    const { clock: idle, sampler: never } = scene(0);
    never.wake();
    expect(idle.pending).toBe(0);
  });

  it('come from the whole tree of a real session', async () => {
    await using state = await temporaryFolder('semo-state-');
    const sessions = createPtySessionManager({ stateDir: state.path, resourceSampleMs: 1000 });
    const two = new Promise<SessionEvents['resources']>((resolve) => {
      sessions.on('resources', (event) => event.processes >= 2 && resolve(event));
    });
    const sessionId = newId('ses');
    await sessions.create({ sessionId, agent: { kind: 'shell' }, workspace: { kind: 'path', path: state.path } });
    await sessions.sendPrompt(sessionId, 'sleep 60');
    const event = await two;
    expect(event).toMatchObject({ sessionId });
    expect(event.pssBytes).toBeGreaterThan(100_000);
    await sessions.terminate(sessionId, { graceMs: 0 });
    await sessions.close();
  });

  it('are refused to be looked at all the time', async () => {
    const create = async () => createPtySessionManager({ resourceSampleMs: 10 });
    await expectError(create(), 'invalid_argument');
  });
});
