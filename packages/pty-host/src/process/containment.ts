import type { ContainmentReport } from '@semo-office/core';

import { SESSION_TAG as tag } from './session-evidence.ts';

/** What is known of how a session is held together. */
export interface ContainmentFacts {
  /** Whether its processes bear a brand; see `createBrand`. */
  readonly branded: boolean;
  /** Whether it has folders of its own, such as a worktree made for it. */
  readonly ownFolders: boolean;
  /** Which of a persona's limits on files hold here. Default `none`: it has none. */
  readonly scope?: 'none' | 'guarded' | 'told' | undefined;
  /** Whether this machine shows other processes' environment and folder. Default: whether it is Linux. */
  readonly procFileSystem?: boolean | undefined;
}

/**
 * What holds a session's processes together here and what could still get away, in sentences for people.
 *
 * @example
 * ```ts
 * const containment = containmentReport({ branded: brand !== null, ownFolders: true });
 * ```
 */
export function containmentReport({
  branded,
  ownFolders,
  scope = 'none',
  procFileSystem = process.platform === 'linux',
}: ContainmentFacts): ContainmentReport {
  const recognisedBy = ['parentage', 'group'];
  if (procFileSystem && ownFolders) recognisedBy.push('folder');
  if (procFileSystem) recognisedBy.push('environment');
  if (branded) recognisedBy.push('brand');
  const escapes = [...mayEscape({ branded, ownFolders, procFileSystem }), ...SCOPE_ESCAPES[scope]];
  return { level: 'process_group', recognisedBy, mayEscape: escapes };
}

const SCOPE_ESCAPES = {
  none: [],
  guarded: [
    'Changes to files out of scope by a command (Bash, python3 -c), by a tool of an MCP server, or by a hook of the repository: the scope binds file tools only.',
  ],
  told: ['Changes to files out of scope: this agent is told its scope, and nothing keeps it there.'],
} as const;

function mayEscape({ branded, ownFolders, procFileSystem }: Required<Omit<ContainmentFacts, 'scope'>>): string[] {
  const sentences = [
    'Work handed to a service that ran before the session: systemd-run, at, cron, docker, a tmux or screen server that was already up.',
    'A process that changes to another user, through sudo or a setuid program.',
  ];
  const looks = 'between two looks (250 ms apart)';
  const leaves = ownFolders ? ', works outside the folders of the session' : '';
  if (branded) {
    sentences.push(
      `A process that sets its own message queue limit, drops ${tag} from its environment${leaves} and moves to a session of its own with its parent gone, all ${looks}.`,
    );
  } else if (procFileSystem) {
    sentences.push(
      `A process that drops ${tag} from its environment${leaves} and moves to a session of its own with its parent gone, all ${looks}: no brand could be set here (neither prlimit nor bash was found, or the hard limit on message queues is too low).`,
    );
  } else {
    sentences.push(
      `A process that moves to a session of its own with its parent gone, both ${looks}: this system does not show the environment, folder or limits of other processes.`,
    );
  }
  return sentences;
}
