import { join } from 'node:path';
import { serveSessions } from '@semo-office/core';
import { FakeClock, createScriptedSessions, expectError } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { joinOffice, listenOnSocket } from '../src/index.ts';

/** A socket that nobody serves yet. */
async function stage() {
  const folder = await temporaryFolder('semo-join-');
  const socketPath = join(folder.path, 'host.sock');
  const stops: (() => Promise<void>)[] = [];
  return {
    socketPath,
    async serve() {
      const link = await listenOnSocket({ path: socketPath });
      const sessions = createScriptedSessions();
      const served = serveSessions(link, sessions);
      stops.push(async () => {
        await served.close();
        await link.close();
        await sessions.close();
      });
    },
    async [Symbol.asyncDispose]() {
      for (const stop of stops) await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an office that joins a host', () => {
  it('which is started beside it waits until that is up', async () => {
    await using here = await stage();
    const clock = new FakeClock();
    const joining = joinOffice({ socketPath: here.socketPath, clock });
    // It has looked, in vain.
    while (clock.pending === 0) await settle();
    await here.serve();
    clock.advance(100);
    const office = await joining;
    expect(await office.sessions.list()).toEqual([]);
    await office.close();
  });

  it('which does not come up says so when its patience is over', async () => {
    await using here = await stage();
    const clock = new FakeClock();
    const startedAt = clock.now();
    const over = new AbortController();
    const joining = joinOffice({ socketPath: here.socketPath, clock, waitForHostMs: 1050 });
    const refusal = expectError(joining, 'host_lost').finally(() => over.abort());
    while (!over.signal.aborted) {
      await settle();
      if (clock.pending > 0) clock.advance(10);
    }
    await refusal;
    expect(clock.now() - startedAt).toBe(1050);
    await expectError(joinOffice({ socketPath: here.socketPath, waitForHostMs: 0 }), 'host_lost');
  });

  it('waits no longer than whoever waits for it', async () => {
    await using here = await stage();
    const clock = new FakeClock();
    const stop = new AbortController();
    const refusal = expectError(joinOffice({ socketPath: here.socketPath, clock, signal: stop.signal }), 'aborted');
    while (clock.pending === 0) await settle();
    stop.abort();
    await refusal;
    expect(clock.pending).toBe(0);
  });

  it('lets go of it where its own options cannot be used', async () => {
    await using here = await stage();
    await here.serve();
    await expectError(joinOffice({ socketPath: here.socketPath, concurrency: 0 }), 'invalid_argument');
    await expectError(joinOffice({ socketPath: here.socketPath, waitForHostMs: -1 }), 'invalid_argument');
  });
});
