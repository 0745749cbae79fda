import { assertNever, type ContainmentLevel, type ContainmentReport } from '@semo-office/core';

import { recognitionEscapes, recognisedBy, type RecognitionFacts } from '../process/recognition.ts';
import { guaranteesOf } from './guarantees.ts';

/** What is known of how a session is held together. */
export interface ContainmentFacts extends RecognitionFacts {
  readonly level: ContainmentLevel;
  /** Whether the sandbox has a network. Default `host`. */
  readonly network?: 'host' | 'none' | undefined;
  /** Whether a namespace of users holds it too. Default: whether we are not root. */
  readonly userNamespace?: boolean | undefined;
  /** Why there is no namespace, though it was welcome. Default: it was not asked for. */
  readonly reason?: string | undefined;
  /** Which of a persona's limits on files hold here. Default `none`: it has none. */
  readonly scope?: 'none' | 'guarded' | 'told' | undefined;
}

const SERVICES =
  'Work handed to a service that ran before the session: systemd-run, at, cron, docker, a tmux or screen server that was already up.';
const ESCAPES = {
  root: 'What root does on purpose to leave a namespace: through devices, mounts and settings of the kernel.',
  network: 'Work handed to a service that can be reached over the network or an abstract socket of this machine.',
  files:
    'What programs outside run or believe of files that the agent has written: git in its folder, builds, editors.',
  container:
    'What the host’s command for containers leaves running when it is killed itself, and whatever it lets the agent reach.',
} as const;
const SCOPE_ESCAPES = {
  none: [],
  guarded: [
    'Changes to files out of scope by a command (Bash, python3 -c), by a tool of an MCP server, or by a hook of the repository: the scope binds file tools only.',
  ],
  told: ['Changes to files out of scope: this agent is told its scope, and nothing keeps it there.'],
} as const;

/**
 * What holds a session together here, what is guaranteed, and what could still get away, in sentences for people.
 *
 * @example
 * ```ts
 * const containment = containmentReport({ level: 'process_group', branded: brand !== null, ownFolders: true });
 * ```
 */
export function containmentReport(facts: ContainmentFacts): ContainmentReport {
  const { level, scope = 'none' } = facts;
  const kernel = level === 'pid_namespace' || level === 'sandbox' ? ['namespace'] : [];
  return {
    level,
    guarantees: guaranteesOf(facts),
    recognisedBy: [...kernel, ...recognisedBy(facts)],
    mayEscape: [...escapes(facts), ...SCOPE_ESCAPES[scope]],
  };
}

function noNamespace(reason: string): string {
  return `All of this, because no namespace of process ids holds the session: ${reason}`;
}

function escapes(facts: ContainmentFacts): string[] {
  const { level, reason, network = 'host', userNamespace = process.getuid?.() !== 0 } = facts;
  switch (level) {
    case 'process_group':
      return [SERVICES, ...recognitionEscapes(facts), ...(reason === undefined ? [] : [noNamespace(reason)])];
    case 'pid_namespace':
      return [SERVICES, ...(userNamespace ? [] : [ESCAPES.root])];
    case 'sandbox':
      return [...(network === 'host' ? [ESCAPES.network] : []), ESCAPES.files];
    case 'container':
      return [ESCAPES.container, ESCAPES.files];
    default:
      return assertNever(level);
  }
}
