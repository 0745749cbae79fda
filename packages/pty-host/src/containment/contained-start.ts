import { assertNever } from '@semo-office/core';

import type { Launch } from '../agent/agent-driver.ts';
import type { ProcessExit } from '../terminal/terminal.ts';
import { containerCommand } from './container.ts';
import type { ContainmentChoice } from './containment-choice.ts';
import { gitFolders } from './git-folders.ts';
import { pidNamespaceCommand } from './pid-namespace.ts';
import { sandboxCommand } from './sandbox.ts';
import { sandboxView } from './sandbox-view.ts';
import { exitOfInside, PID_INSIDE } from './shielded-command.ts';

/** What is really started, and what is different inside. */
export interface ContainedStart {
  readonly command: readonly string[];
  /** The agent's process id as it sees it itself: that of the started process, another, or nobody knows. */
  readonly pidInside: 'same' | number | null;
  /** What the start's exit says of the agent's. */
  readonly readExit: (exit: ProcessExit) => ProcessExit;
}

/** One start. Paths are real ones. */
export interface StartFacts {
  readonly choice: ContainmentChoice;
  readonly launch: Pick<Launch, 'command' | 'env' | 'over' | 'writes'>;
  readonly sessionId: string;
  readonly folder: string;
  readonly folders: { readonly config: string; readonly tmp: string; readonly home: string | null };
  readonly hostHome: string | undefined;
  /** Folders of the host that sandboxes hide. */
  readonly hidden: readonly string[];
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly network: 'host' | 'none';
}

/** The command that starts an agent at its level. @throws SemoError `containment_unavailable`. */
export async function containedStart(facts: StartFacts): Promise<ContainedStart> {
  const { choice, launch } = facts;
  const locale = launch.env['LC_ALL'];
  switch (choice.level) {
    case 'process_group':
      return { command: launch.command, pidInside: 'same', readExit: (exit) => exit };
    case 'pid_namespace':
      return inside(pidNamespaceCommand(choice.tools, launch.command, locale), PID_INSIDE);
    case 'sandbox': {
      const view = await viewOf(facts);
      const command = sandboxCommand({ tools: choice.tools, view, agent: launch.command, locale });
      return inside(command, PID_INSIDE);
    }
    case 'container': {
      const { sessionId, folder, folders } = facts;
      const { common } = await gitFolders(folder);
      const git = common === null || common.startsWith(`${folder}/`) ? null : common;
      const { command, env, over } = launch;
      const run = { options: choice.container, agent: command, env, over, sessionId, workdir: folder, git, folders };
      return inside(await containerCommand(run), null);
    }
    default:
      return assertNever(choice);
  }
}

function inside(command: readonly string[], pidInside: number | null): ContainedStart {
  return { command, pidInside, readExit: exitOfInside };
}

async function viewOf({ launch, folder, folders, hostHome, ...facts }: StartFacts): ReturnType<typeof sandboxView> {
  const { config, tmp, home } = folders;
  const { env, command, writes = [] } = launch;
  return sandboxView({
    folder,
    git: await gitFolders(folder),
    own: [config, tmp, ...(home === null ? [] : [home]), ...writes],
    homes: [env['HOME'], hostHome].filter((path) => path !== undefined),
    hidden: facts.hidden,
    readable: facts.readable,
    writable: facts.writable,
    network: facts.network,
    program: command[0] ?? '',
    env,
  });
}
