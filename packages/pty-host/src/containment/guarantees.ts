import type { ContainmentGuarantees, ContainmentLevel } from '@semo-office/core';

type Guarantee<Aspect extends keyof ContainmentGuarantees> = ContainmentGuarantees[Aspect];

const RECOGNISED: Guarantee<'process'> = {
  kind: 'recognised',
  says: 'Everything the agent starts is looked for by the marks it bears, and ended one by one.',
};
const KERNEL: Guarantee<'process'> = {
  kind: 'kernel',
  says: 'The kernel ends everything the agent has started, together with the agent.',
};
const ALL_FILES: Guarantee<'files'> = {
  kind: 'user',
  says: 'The agent can read and change every file that its user can.',
};
const HOST_NETWORK: Guarantee<'network'> = {
  kind: 'host',
  says: 'The agent has the network of this machine, its loopback included.',
};
const DECLARED = 'What the host’s own command for containers says.';

const BY_LEVEL: Readonly<Record<ContainmentLevel, ContainmentGuarantees>> = {
  process_group: {
    process: RECOGNISED,
    files: ALL_FILES,
    network: HOST_NETWORK,
    credential: {
      kind: 'user',
      says: 'The agent can read every secret that its user can: in files, and in the environment of other processes.',
    },
  },
  pid_namespace: {
    process: KERNEL,
    files: ALL_FILES,
    network: HOST_NETWORK,
    credential: {
      kind: 'files',
      says: 'The agent can read secrets in its user’s files; it does not see other processes and their environment.',
    },
  },
  sandbox: {
    process: KERNEL,
    files: {
      kind: 'scoped',
      says: 'The agent can change its folder, its repository’s objects and branches, and its private folders. Homes, temporary files and sockets are hidden, the rest can only be read.',
    },
    network: HOST_NETWORK,
    credential: {
      kind: 'own',
      says: 'The agent has the credential of its own session. Homes, other sessions and other processes are hidden.',
    },
  },
  container: {
    process: {
      kind: 'declared',
      says: 'The command for containers is ended like any agent; what it does with its container is its own affair.',
    },
    files: { kind: 'declared', says: DECLARED },
    network: { kind: 'declared', says: DECLARED },
    credential: {
      kind: 'declared',
      says: `${DECLARED} The session’s own credential reaches it by the environment.`,
    },
  },
};
const NO_NETWORK: Guarantee<'network'> = { kind: 'none', says: 'The agent has no network; its loopback is its own.' };

/** What each level guarantees, in the four aspects. */
export function guaranteesOf({
  level,
  network = 'host',
}: {
  readonly level: ContainmentLevel;
  readonly network?: 'host' | 'none' | undefined;
}): ContainmentGuarantees {
  const guarantees = BY_LEVEL[level];
  return network === 'none' ? { ...guarantees, network: NO_NETWORK } : guarantees;
}
