import { SemoError, type ContainmentReport, type ResolvedSessionSpec } from '@semo-office/core';

import type { Launch } from '../agent/agent-driver.ts';
import type { JournaledSession } from '../process/session-journal.ts';
import { containedStart, type ContainedStart } from './contained-start.ts';
import { stopContainer } from './container.ts';
import { chooseContainment, type ContainmentChoice } from './containment-choice.ts';
import type { ContainmentPolicy } from './containment-options.ts';
import { containmentReport, type ContainmentFacts } from './containment-report.ts';
import { toolsOfThisHost } from './found-tools.ts';
import { confinedPaths, realPaths } from './real-paths.ts';

/** What a host contains sessions with. */
export interface HostContainmentOptions {
  readonly policy: ContainmentPolicy;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  /** See `PtySessionManagerOptions.allowedRoots`. */
  readonly allowedRoots?: readonly string[] | undefined;
  /** The host's own folders: no sandbox shows more of them than is the session's. */
  readonly ownFolders: readonly string[];
}

/** Gives each session its level of containment. */
export class HostContainment {
  readonly #options: HostContainmentOptions;

  constructor(options: HostContainmentOptions) {
    this.#options = options;
  }

  /** Before anything is made. @throws SemoError `containment_unavailable`, `not_supported`. */
  async choose({ containment, agent }: ResolvedSessionSpec): Promise<ContainmentChoice> {
    const { policy, hostEnv } = this.#options;
    const found = await toolsOfThisHost(hostEnv['PATH'] ?? '');
    const sharesHome = 'useLogin' in agent && agent.useLogin;
    return chooseContainment({ wish: containment, policy, found, sharesHome });
  }

  /** What is really started. @throws SemoError `containment_unavailable`, `not_supported`, `workspace_not_found`, `workspace_forbidden`. */
  async start({
    choice,
    spec,
    launch,
    folder,
    place,
  }: {
    readonly choice: ContainmentChoice;
    readonly spec: ResolvedSessionSpec;
    readonly launch: Launch;
    readonly folder: string;
    readonly place: JournaledSession;
  }): Promise<ContainedStart> {
    const { policy, hostEnv, allowedRoots, ownFolders } = this.#options;
    const { network, readable, writable } = spec.containment;
    if (network === 'none' && launch.needsNetwork === true) {
      const message = `The agent ${spec.agent.kind} speaks with its model over the network: it cannot do without.`;
      throw new SemoError('not_supported', message);
    }
    const closed = [...ownFolders, ...policy.hidden];
    const limits = { allowedRoots, forbidden: closed };
    return containedStart({
      choice,
      launch,
      sessionId: spec.sessionId,
      folder,
      folders: { config: place.configFolder, tmp: place.temporaryFolder, home: place.homeFolder },
      hostHome: hostEnv['HOME'],
      hidden: closed,
      readable: [...(await realPaths(policy.readable)), ...(await confinedPaths(readable, limits))],
      writable: await confinedPaths(writable, limits),
      network,
    });
  }

  report(
    choice: ContainmentChoice,
    spec: ResolvedSessionSpec,
    facts: Pick<ContainmentFacts, 'branded' | 'ownFolders' | 'scope'>,
  ): ContainmentReport {
    const userNamespace = choice.level === 'pid_namespace' ? choice.tools.userNamespace : undefined;
    const reason = choice.level === 'process_group' ? choice.reason : undefined;
    const { network } = spec.containment;
    return containmentReport({ ...facts, level: choice.level, network, userNamespace, reason });
  }

  /** After all processes of a session are gone, as far as they can be seen from here. */
  async ended(choice: ContainmentChoice, sessionId: string): Promise<void> {
    if (choice.level === 'container') await stopContainer(choice.container, sessionId);
  }

  /** The same for a session that a host which was killed has left: nobody knows any more which level it had. */
  async sweptUp(sessionId: string): Promise<void> {
    const { container } = this.#options.policy;
    if (container !== null) await stopContainer(container, sessionId);
  }
}
