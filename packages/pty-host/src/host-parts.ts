import { join } from 'node:path';
import { EventHub, systemClock, type Clock, type SessionEventName, type SessionEvents } from '@semo-office/core';

import { containmentPolicy } from './containment/containment-options.ts';
import { HostContainment } from './containment/host-containment.ts';
import { driversByKind } from './default-drivers.ts';
import { openHostObservers, type HostObservers } from './host-observers.ts';
import { HostStartup } from './host-startup.ts';
import { HostTerminals } from './host-terminals.ts';
import { createClaudeMdInjector } from './persona/claude-md-injector.ts';
import { defaultStateDir } from './process/session-record.ts';
import type { PtySessionManagerOptions } from './pty-session-options.ts';
import { SessionReadopter } from './readoption/session-readopter.ts';
import { HostMemory, type HostMemoryOptions } from './recovery/host-memory.ts';
import { openHostRequests } from './requests/host-requests.ts';
import type { HumanRequests } from './requests/human-requests.ts';
import { SessionOpener } from './session-opener.ts';
import { SessionRegistry } from './session-registry.ts';
import { createWorkspaceResolver } from './workspace/workspace-resolver.ts';
import { createWorktreeKeeper } from './workspace/worktree-keeper.ts';

/** What a host is made of. */
export interface HostParts {
  readonly registry: SessionRegistry;
  readonly hub: EventHub<SessionEvents>;
  readonly requests: HumanRequests;
  readonly clock: Clock;
  readonly opener: SessionOpener;
  readonly memory: HostMemory;
  readonly observers: HostObservers;
  readonly startup: HostStartup;
}

/** Makes the parts of a host from its options; nothing is started, read or written yet. */
export function openHostParts(options: PtySessionManagerOptions): HostParts {
  const { clock = systemClock, hostEnv = process.env, rememberTerminated = 64, onSweep } = options;
  const { stateDir = defaultStateDir(hostEnv) } = options;
  const { allowedRoots, repositories, worktreeRoot = join(stateDir, 'worktrees') } = options;
  const registry = new SessionRegistry(rememberTerminated);
  const hub = new EventHub<SessionEvents>();
  const personas = createClaudeMdInjector({ stateDir });
  const keeper = createWorktreeKeeper({ stateDir, clock });
  const drivers = driversByKind(options, stateDir);
  const memory = hostMemory(options, { stateDir, drivers, clock });
  const terminals = new HostTerminals({ stateDir, kind: options.terminal ?? 'pty', path: hostEnv['PATH'], clock });
  const policy = containmentPolicy(options.containment);
  const containment = new HostContainment({ policy, hostEnv, allowedRoots, ownFolders: [stateDir, worktreeRoot] });
  const requests = hostRequests(options, { stateDir, registry, clock, hub });
  const observers = openHostObservers({ options, stateDir, clock, hub, living: () => registry.living });
  const shared = {
    drivers,
    workspaces: createWorkspaceResolver({ allowedRoots, repositories, worktreeRoot, keeper }),
    keeper,
    personas,
    requests,
    containment,
    facts: memory.facts,
    terminals,
    hostEnv,
    clock,
    hostId: options.hostId,
    emit: <Name extends SessionEventName>(name: Name, event: SessionEvents[Name]) => hub.emit(name, event),
    isHeard: () => hub.listenerCount('output') > 0,
    onReport: observers.onReport,
  };
  const readopter = new SessionReadopter({ ...shared, memory });
  const startup = new HostStartup({
    ...shared,
    stateDir,
    memory,
    readopter,
    onTakenUp: (hosted) => {
      registry.admit(hosted);
      void observers.follow(hosted.spec, Promise.resolve(hosted));
    },
    onSweep,
  });
  return { registry, hub, requests, clock, opener: new SessionOpener(shared), memory, observers, startup };
}

type Shared = Pick<HostParts, 'registry' | 'clock' | 'hub'> & { readonly stateDir: string };

function hostRequests(
  { requestStore: store, requestRetentionMs: retentionMs, onRequestFault: onFault }: PtySessionManagerOptions,
  { hub, ...rest }: Shared,
): HumanRequests {
  return openHostRequests({
    ...rest,
    store,
    retentionMs,
    onFault,
    onSettled: (event) => hub.emit('request_settled', event),
  });
}

function hostMemory(
  { sessionStore: store, hostId, sessionRetentionMs: retentionMs, onSessionFault: onFault }: PtySessionManagerOptions,
  rest: Pick<HostMemoryOptions, 'stateDir' | 'drivers' | 'clock'>,
): HostMemory {
  return new HostMemory({ ...rest, store, hostId, retentionMs, onFault });
}
