import { newId, type AgentSpec, type SessionManager, type SessionSpec, type TurnInfo } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';

import { createPtySessionManager, type PtySessionManagerOptions } from '../../../src/index.ts';

/** Programs as agents, in a folder of their own. */
export interface CommandStage extends AsyncDisposable {
  readonly sessions: SessionManager;
  readonly folder: string;
  /** Creates a session of a command; gives its id. */
  open(
    command: readonly string[],
    more?: { readonly over?: 'terminal' | 'pipe' } & Partial<SessionSpec>,
  ): Promise<string>;
  /** The same of a JavaScript program. */
  openNode(
    script: string,
    more?: { readonly over?: 'terminal' | 'pipe'; readonly args?: readonly string[] },
  ): Promise<string>;
  /** Sends a prompt and waits for the turn's end. */
  ask(sessionId: string, prompt: string, options?: Parameters<SessionManager['sendPrompt']>[2]): Promise<TurnInfo>;
}

/** Sets the stage; `await using` takes everything down again. */
export async function commandStage(options: PtySessionManagerOptions = {}): Promise<CommandStage> {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const sessions = createPtySessionManager({ stateDir: state.path, ...options });
  const open: CommandStage['open'] = async (command, { over = 'terminal', ...more } = {}) => {
    const agent: AgentSpec = { kind: 'command', command: [...command], over };
    const spec = { sessionId: newId('ses'), agent, workspace: { kind: 'path' as const, path: work.path }, ...more };
    return (await sessions.create(spec)).sessionId;
  };
  return {
    sessions,
    folder: work.path,
    open,
    openNode: (script, { args = [], ...more } = {}) => open([process.execPath, '-e', script, ...args], more),
    async ask(sessionId, prompt, promptOptions) {
      const { turnId } = await sessions.sendPrompt(sessionId, prompt, promptOptions);
      return sessions.waitForTurn(sessionId, turnId);
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}
