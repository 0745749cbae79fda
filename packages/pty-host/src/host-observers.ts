import { parseEdge, type Clock, type EventHub, type ResolvedSessionSpec, type SessionEvents } from '@semo-office/core';
import { join } from 'node:path';
import { z } from 'zod';

import type { DriverReport } from './agent/agent-driver.ts';
import type { HostedSession } from './hosted-session.ts';
import { resolveLogOptions } from './logs/log-options.ts';
import { SessionLogs } from './logs/session-logs.ts';
import { ResourceSampler } from './process/resource-sampler.ts';
import type { PtySessionManagerOptions } from './pty-session-options.ts';

/** Those who watch the sessions of a host and change nothing about them. */
export interface HostObservers {
  /** Watches a session from its opening on; resolves and rejects as that does. */
  follow(spec: ResolvedSessionSpec, opening: Promise<HostedSession>): Promise<HostedSession>;
  /** Hears what drivers report; absent: nobody wants to know. */
  readonly onReport: ((sessionId: string, report: DriverReport) => void) | undefined;
  /** Resolves when all that was logged is written. */
  close(): Promise<void>;
}

const sampleSchema = z.union([z.literal(0), z.number().int().min(1000)]).default(0);

/**
 * The logs and the sampling of resources, as far as options ask for them.
 * @throws SemoError `invalid_argument`: `resourceSampleMs` is out of range.
 */
export function openHostObservers({
  options: { logs: wish, resourceSampleMs },
  stateDir,
  clock,
  hub,
  living,
}: {
  readonly options: PtySessionManagerOptions;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly hub: EventHub<SessionEvents>;
  readonly living: () => readonly HostedSession[];
}): HostObservers {
  const log = wish === undefined ? null : resolveLogOptions(wish, join(stateDir, 'logs'));
  const logs = log === null ? null : new SessionLogs({ hub, clock, log });
  const sampler = new ResourceSampler({
    clock,
    everyMs: parseEdge(sampleSchema, resourceSampleMs, { what: 'resourceSampleMs' }),
    sessions: () => living().map(({ live: { sessionId }, pids }) => ({ sessionId, pids })),
    isHeard: () => hub.listenerCount('resources') > 0,
    tell: (event) => hub.emit('resources', event),
  });
  return {
    async follow(spec, opening) {
      logs?.begin(spec);
      try {
        const hosted = await opening;
        logs?.opened(spec.sessionId, { version: hosted.info().agent.version, pid: hosted.live.pid });
        sampler.wake();
        return hosted;
      } catch (thrown) {
        logs?.failed(spec.sessionId, thrown);
        throw thrown;
      }
    },
    onReport: logs === null ? undefined : (sessionId, report) => logs.onReport(sessionId, report),
    async close() {
      sampler.close();
      await logs?.close();
    },
  };
}
