import { shieldedCommand, type ShieldTools } from './shielded-command.ts';

/** What a namespace of process ids is made with here. */
export interface PidNamespaceTools extends ShieldTools {
  /** `unshare` of util-linux. */
  readonly unshare: string;
  /** Whether it takes a namespace of users as well, as it does without the rights of root. */
  readonly userNamespace: boolean;
}

/**
 * The namespace's first process: reaps whatever loses its parent, and ends with the agent, and everything with it. What
 * it has to say itself (that the agent was killed) is not for the agent's terminal.
 */
const INIT = 'exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; exit $?';

/** The command that runs an agent in a namespace of process ids of its own, with a `/proc` that shows nothing else. */
export function pidNamespaceCommand(
  tools: PidNamespaceTools,
  agent: readonly string[],
  locale: string | undefined,
): string[] {
  const user = tools.userNamespace ? ['--user', '--map-current-user'] : [];
  const unshare = [tools.unshare, ...user, '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
  const init = [tools.bash, '--noprofile', '--norc', '-p', '-c', INIT, 'semo'];
  return shieldedCommand({ tools, enter: [...unshare, ...init], agent, locale });
}
