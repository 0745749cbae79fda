import { newId, type AgentSpec, type SessionManager, type SessionSpec, type TurnInfo } from '@semo-office/core';
import {
  agentEnvironment,
  claudeBinary,
  startModelServer,
  temporaryFolder,
  type ModelScript,
  type ModelServer,
} from '@semo-office/testbed';

import { createPtySessionManager, type PtySessionManagerOptions } from '../../../src/index.ts';

type ClaudeKind = 'claude' | 'claude-stream';
/** Settings of either way of speaking with Claude Code. */
type ClaudeSpec = Omit<Extract<AgentSpec, { kind: 'claude-stream' }>, 'kind'>;

/** The real CLI, a scripted model, and folders of their own. */
export interface ClaudeStage extends AsyncDisposable {
  readonly sessions: SessionManager;
  readonly model: ModelServer;
  /** Where the agent works. */
  readonly folder: string;
  readonly stateDir: string;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  spec(more?: Partial<SessionSpec>, agent?: Partial<ClaudeSpec>): SessionSpec;
  /** Creates a session; gives its id. */
  open(more?: Partial<SessionSpec>, agent?: Partial<ClaudeSpec>): Promise<string>;
  /** Sends a prompt and waits for the turn's end. */
  ask(sessionId: string, prompt: string, options?: Parameters<SessionManager['sendPrompt']>[2]): Promise<TurnInfo>;
}

/** Sets the stage; `await using` takes everything down again. */
export async function claudeStage(
  script: ModelScript,
  {
    maxRetries = 1,
    kind = 'claude',
    ...options
  }: PtySessionManagerOptions & { maxRetries?: number; kind?: ClaudeKind } = {},
): Promise<ClaudeStage> {
  const model = await startModelServer({ script });
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const hostEnv = {
    HOME: state.path,
    ...agentEnvironment(model, { maxRetries }),
    SEMO_CLAUDE_BIN: claudeBinary(),
    ...options.hostEnv,
  };
  const sessions = createPtySessionManager({ stateDir: state.path, ...options, hostEnv });
  const spec: ClaudeStage['spec'] = (more = {}, agent = {}) => ({
    sessionId: newId('ses'),
    agent: { kind, permissionMode: 'bypassPermissions', ...agent },
    workspace: { kind: 'path', path: work.path },
    ...more,
  });
  return {
    sessions,
    model,
    folder: work.path,
    stateDir: state.path,
    hostEnv,
    spec,
    open: async (more, agent) => (await sessions.create(spec(more, agent))).sessionId,
    async ask(sessionId, prompt, promptOptions) {
      const { turnId } = await sessions.sendPrompt(sessionId, prompt, promptOptions);
      return sessions.waitForTurn(sessionId, turnId);
    },
    async [Symbol.asyncDispose]() {
      // Leaving in good order takes the CLI as long as a short turn; tests of it end their sessions themselves.
      const left = await sessions.list();
      await Promise.all(left.map(({ sessionId }) => sessions.terminate(sessionId, { graceMs: 0 })));
      await sessions.close();
      await model.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}
