import { join } from 'node:path';

import type { AgentDriver } from './agent/agent-driver.ts';
import { createClaudeStreamDriver } from './agent/claude/stream/stream-driver.ts';
import { createClaudeDriver } from './agent/claude/terminal/terminal-driver.ts';
import { createCommandDriver } from './agent/command/command-line.ts';
import { createShellDriver } from './agent/shell/shell.ts';
import type { PtySessionManagerOptions } from './pty-session-options.ts';

/** The drivers a host has by itself and those it is given, by kind; of two for one kind the given one counts. */
export function driversByKind(
  { claude, drivers = [] }: Pick<PtySessionManagerOptions, 'claude' | 'drivers'>,
  stateDir: string,
): ReadonlyMap<string, AgentDriver> {
  // In one folder, so that either can go on with what the other has kept.
  const conversationsDir = join(stateDir, 'conversations');
  const own = [
    createClaudeDriver({ ...claude, conversationsDir }),
    createClaudeStreamDriver({ ...claude, conversationsDir }),
    createCommandDriver(),
    createShellDriver(),
  ];
  return new Map([...own, ...drivers].map((driver) => [driver.kind, driver]));
}
