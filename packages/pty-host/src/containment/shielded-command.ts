import { constants } from 'node:os';

import type { ProcessExit } from '../terminal/terminal.ts';

/** The programs that a namespace is entered with, by their absolute paths. */
export interface ShieldTools {
  readonly bash: string;
  /** Of coreutils 8.31 or newer, which knows `--ignore-signal`. */
  readonly env: string;
}

/**
 * Whoever starts a namespace stays outside as the agent's parent, in the same group: signals for the agent reach it too,
 * and with it all would end at once. SIGHUP is not among them: when the terminal is gone, so shall the session be.
 */
const FOR_THE_AGENT = ['INT', 'QUIT', 'TERM'] as const;

/** The first process that is started inside has the number after that of the namespace's own first process. */
export const PID_INSIDE = 2;

/**
 * A command that enters a namespace and becomes the agent in it. The programs in between ignore the signals that are meant
 * for the agent, and the agent gets them as if it had been started directly.
 */
export function shieldedCommand({
  tools: { bash, env },
  enter,
  agent,
  locale,
}: {
  readonly tools: ShieldTools;
  /** Enters the namespace and runs the command that follows. */
  readonly enter: readonly string[];
  readonly agent: readonly string[];
  /** The agent's `LC_ALL`: a bash in between would complain of one that the machine lacks. */
  readonly locale: string | undefined;
}): string[] {
  const ignore = FOR_THE_AGENT.map((name) => `--ignore-signal=${name}`);
  const restore = FOR_THE_AGENT.map((name) => `--default-signal=${name}`);
  const localeBack = locale === undefined ? ['--unset=LC_ALL'] : [`LC_ALL=${locale}`];
  // `env` takes a program with "=" in its path for a variable.
  const direct = agent[0]?.includes('=') === true ? [bash, '--noprofile', '--norc', '-c', 'exec "$@"', 'semo'] : [];
  return [env, ...ignore, 'LC_ALL=C', ...enter, env, ...restore, ...localeBack, ...direct, ...agent];
}

const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** A namespace's first process tells the agent's death by a signal as a shell does, by 128 and its number. */
export function exitOfInside(exit: ProcessExit): ProcessExit {
  const signal = exit.code === null ? undefined : SIGNALS.get(exit.code - 128);
  return signal === undefined ? exit : { code: null, signal };
}
