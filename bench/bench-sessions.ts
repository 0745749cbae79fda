import { newId, type SessionManager, type SessionSpec } from '@semo-office/core';
import { createPtySessionManager, type AgentDriver } from '@semo-office/pty-host';
import { temporaryFolder } from '@semo-office/testbed';

import { programEnvironment } from './raw-terminal.ts';

/** A session manager with folders of its own. */
export interface BenchSessions extends AsyncDisposable {
  readonly sessions: SessionManager;
  /** Starts a program in a terminal; gives the session's id. */
  open(command: readonly string[], more?: Partial<SessionSpec>): Promise<string>;
}

/** Makes a session manager; disposing it ends every session and removes its folders. */
export async function benchSessions(
  hostEnv: Readonly<Record<string, string>> = programEnvironment,
  drivers: readonly AgentDriver[] = [],
): Promise<BenchSessions> {
  const work = await temporaryFolder('semo-bench-work-');
  const state = await temporaryFolder('semo-bench-state-');
  const sessions = createPtySessionManager({
    stateDir: state.path,
    hostEnv: { HOME: state.path, ...hostEnv },
    drivers,
  });
  return {
    sessions,
    async open(command, more = {}) {
      const agent = { kind: 'command', command: [...command] } as const;
      const workspace = { kind: 'path', path: work.path } as const;
      const { sessionId } = await sessions.create({ sessionId: newId('ses'), agent, workspace, ...more });
      return sessionId;
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}
