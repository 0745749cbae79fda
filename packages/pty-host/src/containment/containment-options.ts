import { CONTAINMENT_LEVELS, SemoError, type ContainmentLevel } from '@semo-office/core';

/** The host's own command for containers. It comes from whoever runs the host, never with a session. */
export interface ContainerOptions {
  /**
   * The command that the agent's is appended to, for example
   * `['docker', 'run', '--rm', '-i', '--init', '--name={session}', '--volume={workdir}:{workdir}', '--env-file={env-file}', …]`.
   * It gets the agent's whole environment, so that no secret stands on a command line. What stands for what:
   * `{workdir}` the agent's folder, `{git}` the repository's common folder where that lies elsewhere, `{config}` and `{tmp}`
   * the session's private folders, `{session}` its id, `{env-file}` a file with the names of the agent's variables, `{tty}`
   * `-t` where the agent has a terminal. An argument whose placeholder stands for nothing is left out.
   */
  readonly command: readonly string[];
  /** Ends what the command has left, as `['docker', 'rm', '-f', '{session}']`; run when a session has ended. Default nothing. */
  readonly stop?: readonly string[] | undefined;
}

/** What a host offers of containment. */
export interface ContainmentOptions {
  /** The level of sessions that ask for none. Default `best`: the strongest that changes nothing for the agent. */
  readonly default?: 'best' | ContainmentLevel | undefined;
  /** Levels that sessions may have. Default all that are there. */
  readonly allowed?: readonly ContainmentLevel[] | undefined;
  /** Files and folders that every sandbox shows, beside what is found to be needed. Default none. */
  readonly readable?: readonly string[] | undefined;
  /** Folders that every sandbox hides, whatever a session asks for, beside homes, temporary files and sockets. Default none. */
  readonly hidden?: readonly string[] | undefined;
  /** Makes the level `container` available. Default: it is not. */
  readonly container?: ContainerOptions | undefined;
}

/** {@link ContainmentOptions} with defaults filled in. */
export interface ContainmentPolicy extends Required<Omit<ContainmentOptions, 'container'>> {
  readonly container: ContainerOptions | null;
}

/** Fills in defaults. @throws SemoError `invalid_argument` when the host forbids its own default, or offers an empty command. */
export function containmentPolicy(options: ContainmentOptions = {}): ContainmentPolicy {
  const { allowed = CONTAINMENT_LEVELS, readable = [], hidden = [], container = null } = options;
  const level = options.default ?? 'best';
  if (allowed.length === 0 || (level !== 'best' && !allowed.includes(level))) {
    throw new SemoError(
      'invalid_argument',
      `This host's containment allows ${allowed.join(', ') || 'nothing'}, but not its default ${level}.`,
    );
  }
  if (container !== null && container.command.length === 0) {
    throw new SemoError('invalid_argument', 'The command for containers is empty.');
  }
  return { default: level, allowed, readable, hidden, container };
}
